import type { Logger } from '../../../platform/log';
import type { Queryable } from '../../../platform/postgres';
import { backoffMs, wait } from '../../../platform/wait';

const DAY_MS = 24 * 60 * 60_000;

/**
 * What was asked of the provider and what it has told us is kept for so long. A charge can be disputed for 120 days, and
 * who answers the bank wants to see what happened; facts, bookings and the provider's ids of intents are kept for ever.
 */
export const KEPT_MS = 180 * DAY_MS;

const EVERY_MS = 60 * 60_000;
/** Rows that go at once: no statement takes long, or holds much. */
const BATCH = 1_000;

/**
 * Drops what is older, once.
 * @param nowMs milliseconds since 1970
 * @returns how many rows went
 */
export async function dropOld(db: Queryable, nowMs: number, signal?: AbortSignal): Promise<number> {
  const before = new Date(nowMs - KEPT_MS);
  const drops = [
    // Ids are of version 7, which begin with their time.
    {
      from: 'provider_attempts',
      id: 'attempt_id',
      where: 'attempt_id < $1::uuid',
      than: firstUuidOf(before),
    },
    { from: 'provider_events', id: 'event_id', where: 'received_at < $1', than: before.toISOString() },
  ];
  let dropped = 0;
  for (const { from, id, where, than } of drops)
    for (let rows = BATCH; rows === BATCH && signal?.aborted !== true; dropped += rows) {
      const { rowCount } = await db.query(
        `delete from ${from} where ${id} in (select ${id} from ${from} where ${where} limit ${BATCH})`,
        [than],
      );
      rows = rowCount ?? 0;
    }
  return dropped;
}

/** The first UUID of version 7 of that millisecond. */
export function firstUuidOf(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Drops what is older each hour until `signal`. Several processes may do so at once. */
export async function keepForAWhile(
  db: Queryable,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Pick<Logger, 'info' | 'warn'> },
): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    try {
      const dropped = await dropOld(db, Date.now(), signal);
      if (dropped > 0) log.info({ dropped }, 'old attempts at the provider, and its old events, are dropped');
      failures = 0;
    } catch (error) {
      if (failures === 0) log.warn({ err: error }, 'what is old was not dropped, trying again');
      failures += 1;
    }
    await wait(failures === 0 ? EVERY_MS : backoffMs(failures, { minMs: 1_000, maxMs: EVERY_MS }), signal);
  }
}
