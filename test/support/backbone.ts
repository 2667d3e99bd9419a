import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import {
  createKafka,
  createTopics,
  readTopicRaw,
  withAdmin,
  type Kafka,
  type OutgoingRecord,
  type RawRecord,
} from '../../platform/kafka';
import { appendFact } from '../../platform/outbox';
import {
  createPool,
  inboxMigrations,
  migrate,
  outboxMigrations,
  withTransaction,
  type Pool,
  type Tx,
} from '../../platform/postgres';
import { wait } from '../../platform/wait';
import { fromSetup } from './fromSetup';

/** What tests of the backbone (outbox, relay, Kafka, inbox) share: real servers, and things to count on them. */

export const quiet = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });

/** A name that nobody else has taken. */
export const unique = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`;

export const testKafka = (): Kafka =>
  createKafka({ brokers: fromSetup('KAFKA_BROKERS').split(','), clientId: 'test', log: quiet });

export interface TestDatabase {
  readonly url: string;
  /** The test's own connections: `cut` leaves them alone, so that a test can look while its subject mends itself. */
  readonly pool: Pool;
  /** Connections for what is tested. */
  readonly subject: Pool;
  /** Ends the connections of everybody but the test itself. */
  cut(): Promise<void>;
  drop(): Promise<void>;
}

/** A new database with the tables of outbox and inbox, and two of the tests' own. */
export async function testDatabase(max = 20): Promise<TestDatabase> {
  const adminUrl = fromSetup('POSTGRES_URL');
  const name = unique('backbone').replace('-', '_');
  const admin = createPool(adminUrl, { applicationName: 'test', max: 1, statementTimeoutMs: 60_000 });
  await admin.query(`create database ${name}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  await migrate(url.href, [outboxMigrations, inboxMigrations]);
  const pool = createPool(url.href, { applicationName: 'test', max });
  const subject = createPool(url.href, { applicationName: 'subject', max });
  await pool.query(`create table aggregates (id text primary key, version integer not null default 0)`);
  await pool.query(`create table effects (fact_id text not null, at timestamptz not null default clock_timestamp(),
    place bigint generated always as identity)`);
  return {
    url: url.href,
    pool,
    subject,
    async cut() {
      await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name <> 'test'`);
    },
    async drop() {
      await Promise.all([pool.end(), subject.end()]);
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

/** Creates topics under names of their own; `delete` them at the end. */
export async function testTopic(
  kafka: Kafka,
  partitions = 3,
  name = unique('facts'),
  config = {},
): Promise<string> {
  await createTopics(kafka, [{ topic: name, partitions, config: { 'retention.ms': '-1', ...config } }]);
  return name;
}

export const deleteTopics = (kafka: Kafka, topics: string[]): Promise<void> =>
  withAdmin(kafka, (admin) => admin.deleteTopics({ topics }));

/** An aggregate's next fact: its row is locked, its version raised, its fact appended. */
export async function commitNext(tx: Tx, topic: string, id: string, data: object = {}): Promise<number> {
  const { rows } = await tx.query<{ version: number }>(
    `insert into aggregates (id, version) values ($1, 1)
     on conflict (id) do update set version = aggregates.version + 1 returning version`,
    [id],
  );
  const sequence = rows[0]!.version;
  await appendFact(tx, {
    ...{ topic, key: id, id, type: 'thing.changed', sequence, data: { ...data } },
    ...attributes,
  });
  return sequence;
}

export const record = (pool: Pool, topic: string, id: string, data: object = {}): Promise<number> =>
  withTransaction(pool, (tx) => commitNext(tx, topic, id, data));

const attributes = {
  time: '2026-01-01T12:00:00.000Z',
  source: '/hailway/test',
  correlationId: 'correlation',
  causationId: 'cause',
};

/** A fact as the relay sends it. */
export function factRecord(
  topic: string,
  key: string,
  sequence: number,
  value: unknown = {},
): OutgoingRecord {
  return {
    topic,
    key,
    value: typeof value === 'string' ? value : JSON.stringify(value),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: `thing.changed/${key}/${sequence}`,
      ce_source: attributes.source,
      ce_type: 'thing.changed',
      ce_time: attributes.time,
      ce_subject: key,
      ce_sequence: String(sequence),
      ce_correlationid: attributes.correlationId,
      ce_causationid: attributes.causationId,
    },
  };
}

export async function readAll(kafka: Kafka, topic: string): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  await readTopicRaw({ kafka, topic, onRecord: (r) => void records.push(r) });
  return records;
}

/** The sequences of each key in the order of their first occurrence, and how many records were repeats. */
export function firstOccurrences(records: readonly RawRecord[]): {
  byKey: Map<string, number[]>;
  repeats: number;
} {
  const byKey = new Map<string, number[]>();
  let repeats = 0;
  for (const { key, headers } of records) {
    const sequences = byKey.get(String(key)) ?? [];
    const sequence = Number(headers['ce_sequence']);
    if (sequences.includes(sequence)) repeats += 1;
    else byKey.set(String(key), [...sequences, sequence]);
  }
  return { byKey, repeats };
}

/** 1, 2, …, n */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** Waits until the condition holds; fails with what was seen last after `timeoutMs`. */
export async function eventually<T>(
  look: () => Promise<T> | T,
  holds: (seen: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline)
      throw new Error(`not within ${timeoutMs} ms, last seen: ${JSON.stringify(seen)}`);
    await wait(30);
  }
}

export interface Running {
  stop(): Promise<void>;
}

const stillRunning = new Set<Running>();

/** Something that runs until it is told to stop, or until `stopAll`. */
export function running(work: (signal: AbortSignal) => Promise<void>): Running {
  const stopping = new AbortController();
  const done = work(stopping.signal);
  done.catch(() => {});
  const it: Running = {
    stop() {
      stillRunning.delete(it);
      stopping.abort(new Error('test is over'));
      return done;
    },
  };
  stillRunning.add(it);
  return it;
}

/** After each test: one that failed half way has left things running. */
export const stopAll = async (): Promise<void> => {
  await Promise.all([...stillRunning].map((it) => it.stop().catch(() => {})));
};
