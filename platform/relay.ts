import type { Pool, PoolClient } from 'pg';
import { KafkaRefused, type FactProducer } from './kafka/producer';
import type { KafkaLog } from './kafka/client';
import {
  idsAtOnce,
  loadPosition,
  own,
  place,
  readRows,
  storePosition,
  unsentIds,
  type OutboxRow,
  type Parking,
  type Position,
} from './relay/position';
import { backoffMs, wait } from './wait';

export interface RelayOptions {
  /** The owning database; one connection of the pool is kept for as long as the relay runs. */
  readonly pool: Pool;
  /** Its name, for logs. */
  readonly database: string;
  readonly producer: FactProducer;
  /** Facts sent and marked at once (1,000). */
  readonly batchSize?: number;
  /** How long to wait when there is nothing (25 ms). */
  readonly pollMs?: number;
  /** Stops after the batch in hand, or 3 s later when Kafka does not take it. */
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  /** Told of every change: standing by while another relay owns the database, owning it, or without connection. */
  readonly onState?: (state: RelayState) => void;
}

export type RelayState = 'owner' | 'standby' | 'disconnected';

const standbyMs = 500;
const graceMs = 3_000;

/**
 * Moves committed facts from a database's outbox to Kafka until the signal is aborted: each at least once, the facts
 * of a key in the order of their commits at first occurrence. Losing Kafka, Postgres or the process only delays them.
 *
 * A batch is what became visible between two snapshots. A cursor over ids would lose rows (ids are given before the
 * commit), one over transaction ids could swap a key's facts (a lower one can commit later). Inside a batch the order
 * of ids is a key's order, as whoever writes its next fact has waited for its row's lock before.
 * The bounds are stored before anything is sent, so that after a crash the same batch is sent again. One relay at a
 * time owns the database: it holds a session lock on the very connection that moves the position.
 */
export async function runRelay(options: RelayOptions): Promise<void> {
  const { signal, log, database } = options;
  for (let attempt = 0; !signal.aborted; attempt++) {
    const startedAt = Date.now();
    try {
      await relayOnOneConnection(options);
    } catch (error) {
      if (signal.aborted) break;
      if (Date.now() - startedAt > 10_000) attempt = 0;
      options.onState?.('disconnected');
      log.warn({ err: error, database, attempt }, 'relay lost its database, trying again');
      await wait(backoffMs(attempt, { minMs: 100, maxMs: 2_000 }), signal);
    }
  }
}

async function relayOnOneConnection(options: RelayOptions): Promise<void> {
  const { pool, signal, log, database } = options;
  const client = await pool.connect();
  const onError = (error: Error): void => log.warn({ err: error, database }, 'relay connection lost');
  client.on('error', onError);
  try {
    // The outbox's statistics always lag behind; a scan of all of it is never right here.
    await client.query('set enable_seqscan = off');
    while (!(await own(client))) {
      options.onState?.('standby');
      await wait(standbyMs, signal);
      if (signal.aborted) return;
    }
    options.onState?.('owner');
    log.info({ database }, 'relay owns the outbox');
    const late = new AbortController();
    const giveUp = (): void => void setTimeout(() => late.abort(signal.reason), graceMs).unref();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const position = await loadPosition(client);
      while (!signal.aborted) {
        const moved = await moveBatch(client, position, options, late.signal);
        if (moved === 0) await wait(options.pollMs ?? 25, signal);
      }
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  } finally {
    client.off('error', onError);
    // Closed, not given back: the session's end is what frees the lock.
    client.release(true);
  }
}

/** Sends the rest of the batch under way, or a new one. Returns how many facts are done with. */
async function moveBatch(
  client: PoolClient,
  position: Position,
  options: RelayOptions,
  lateSignal: AbortSignal,
): Promise<number> {
  const { to, ids } = await unsentIds(client, position);
  if (position.to === null) {
    if (ids.length === 0) {
      // Remembered here only: nothing lies between the two, whoever starts from the stored one.
      position.from = to;
      return 0;
    }
    await storePosition(client, position, { from: position.from, to, lastId: 0 });
  }
  const batchSize = options.batchSize ?? 1_000;
  let done = 0;
  for (let start = 0; start < ids.length; start += batchSize) {
    if (options.signal.aborted) return done;
    const page = ids.slice(start, start + batchSize);
    const rows = await readRows(client, page);
    const parked = await publish(rows, options, lateSignal);
    const lastId = page.at(-1) ?? position.lastId;
    const isLast = start + batchSize >= ids.length && ids.length < idsAtOnce;
    const next = isLast ? { from: to, to: null, lastId: 0 } : { from: position.from, to, lastId };
    await storePosition(client, position, next, { rows, parked });
    done += rows.length;
  }
  if (ids.length === 0) await storePosition(client, position, { from: to, to: null, lastId: 0 });
  return done;
}

/** Sends the rows but those of parked keys. Returns the keys to park now: each had a fact that is refused by itself. */
async function publish(
  rows: readonly OutboxRow[],
  options: RelayOptions,
  signal: AbortSignal,
): Promise<Parking[]> {
  const parked = new Map<string, Parking>();
  const send = async (candidates: readonly OutboxRow[]): Promise<void> => {
    const part = candidates.filter((row) => !parked.has(place(row)));
    const [row] = part;
    if (!row) return;
    try {
      await options.producer.send(part, { signal });
    } catch (error) {
      if (!(error instanceof KafkaRefused)) throw error;
      if (part.length === 1) {
        const parking = { topic: row.topic, key: row.key, outboxId: row.id, reason: error.code };
        parked.set(place(row), parking);
        options.log.error(
          { database: options.database, ...parking },
          'Kafka refuses a fact: its key is parked',
        );
        return;
      }
      // Halves, in order, until the one is found that is refused alone. What was stored already is stored twice.
      const middle = part.length >> 1;
      await send(part.slice(0, middle));
      await send(part.slice(middle));
    }
  };
  await send(rows.filter((row) => !row.parked));
  return [...parked.values()];
}
