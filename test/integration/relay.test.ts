import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createFactProducer, waitForCoordinator, type FactProducer } from '../../platform/kafka';
import { withTransaction } from '../../platform/postgres';
import { runRelay, type RelayState } from '../../platform/relay';
import { wait } from '../../platform/wait';
import {
  commitNext,
  deleteTopics,
  eventually,
  firstOccurrences,
  quiet,
  readAll,
  record,
  running,
  stopAll,
  testDatabase,
  testKafka,
  testTopic,
  unique,
  upTo,
  type TestDatabase,
} from '../support/backbone';

const kafka = testKafka();
const topics: string[] = [];
let producer: FactProducer;
let db: TestDatabase;
let topic: string;

beforeAll(() => waitForCoordinator(kafka), 60_000);
beforeEach(async () => {
  producer = createFactProducer(kafka, { log: quiet });
  db = await testDatabase();
  topics.push((topic = await testTopic(kafka, 3, unique('relay'))));
});
afterEach(async () => {
  await stopAll();
  await producer.disconnect();
  await db.drop();
});
afterAll(() => deleteTopics(kafka, topics));

const relaying = (batchSize = 100, onState?: (state: RelayState) => void) =>
  running((signal) =>
    runRelay({
      pool: db.subject,
      database: 'test',
      producer,
      batchSize,
      pollMs: 10,
      signal,
      log: quiet,
      onState,
    }),
  );

/** Facts sent or parked, as the relay has stored it. */
async function settled(): Promise<number> {
  const { rows } = await db.pool.query<{ n: number }>(
    `select coalesce((select facts from relay_position), 0) + (select count(*) from parked_facts) as n`,
  );
  return rows[0]!.n;
}
const facts = async (): Promise<number> =>
  (await db.pool.query<{ n: number }>('select count(*) as n from outbox')).rows[0]!.n;
const allSettled = () =>
  eventually(
    async () => (await settled()) - (await facts()),
    (missing) => missing >= 0,
    40_000,
  );

test('a fact that is committed after one with a higher id is not lost', async () => {
  const relay = relaying();
  const early = await db.pool.connect();
  await early.query('begin');
  await commitNext(early, topic, 'slow');
  await record(db.pool, topic, 'quick');
  await eventually(settled, (n) => n === 1);
  await early.query('commit');
  early.release();
  await eventually(settled, (n) => n === 2);
  await relay.stop();
  expect((await readAll(kafka, topic)).map(({ key }) => String(key)).sort()).toEqual(['quick', 'slow']);
});

test('a lower transaction id that commits later does not swap the facts of a key', async () => {
  const low = await db.pool.connect();
  await low.query('begin');
  await low.query('select pg_current_xact_id()');
  expect(await record(db.pool, topic, 'key')).toBe(1);
  expect(await commitNext(low, topic, 'key')).toBe(2);
  await low.query('commit');
  low.release();
  const relay = relaying();
  await allSettled();
  await relay.stop();
  expect(firstOccurrences(await readAll(kafka, topic)).byKey.get('key')).toEqual([1, 2]);
});

test('many writers, rollbacks and transactions that stay open: all that was committed, in order for each key', async () => {
  const relay = relaying(17);
  const keys = upTo(12).map((n) => `key-${n}`);
  const committed = new Map<string, number>();
  const rollback = new Error('changed my mind');
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const key = keys[(writer * 7 + i * 5) % keys.length]!;
      await withTransaction(db.pool, async (tx) => {
        const sequence = await commitNext(tx, topic, key);
        if (i % 3 === 0) await wait(Math.random() * 15);
        if (i % 11 === 10) throw rollback;
        return sequence;
      }).then(
        (sequence) => committed.set(key, Math.max(sequence, committed.get(key) ?? 0)),
        (error: unknown) => {
          if (error !== rollback) throw error;
        },
      );
    }
  };
  const stayOpen = (n: number) =>
    withTransaction(db.pool, async (tx) => {
      committed.set(`open-${n}`, await commitNext(tx, topic, `open-${n}`));
      await wait(700 + 300 * n);
    });
  await Promise.all([...upTo(10).map(write), ...upTo(3).map(stayOpen)]);
  await allSettled();
  await relay.stop();

  const { byKey, repeats } = firstOccurrences(await readAll(kafka, topic));
  expect(Object.fromEntries(byKey)).toEqual(Object.fromEntries([...committed].map(([k, n]) => [k, upTo(n)])));
  expect(repeats).toBe(0);
}, 60_000);

test('killed between the send and the mark, it repeats and loses nothing', async () => {
  for (let i = 0; i < 160; i++) await record(db.pool, topic, `key-${i % 4}`);
  const runChild = async (sends: number) => {
    const child = fork(join(__dirname, '../support/mortalRelay.ts'), {
      execArgv: ['-r', join(__dirname, '../support/typescript.cjs')],
      env: { ...process.env, RELAY_DATABASE_URL: db.url, MORTAL_SENDS: String(sends) },
    });
    const [, signal] = (await once(child, 'exit')) as [number, string];
    expect(signal).toBe('SIGKILL');
  };
  await runChild(1);
  expect(await settled()).toBe(0);
  await runChild(3);
  expect(await settled()).toBe(40);
  for (let i = 0; i < 40; i++) await record(db.pool, topic, `key-${i % 4}`);
  await runChild(2);

  const relay = relaying(20);
  await allSettled();
  await relay.stop();
  const { byKey, repeats } = firstOccurrences(await readAll(kafka, topic));
  expect([...byKey.values()].map((s) => s.join())).toEqual(Array(4).fill(upTo(50).join()));
  expect(repeats).toBe(60);
}, 60_000);

test('one relay owns a database; another takes over when the connection of the first breaks', async () => {
  const states: Record<string, RelayState> = {};
  const first = relaying(100, (state) => (states['first'] = state));
  await eventually(
    () => states['first'],
    (s) => s === 'owner',
  );
  const second = relaying(100, (state) => (states['second'] = state));
  await eventually(
    () => states['second'],
    (s) => s === 'standby',
  );
  for (let i = 0; i < 20; i++) await record(db.pool, topic, 'key');
  await db.pool.query(`select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`);
  for (let i = 0; i < 20; i++) await record(db.pool, topic, 'key');
  await eventually(
    () => Object.values(states).sort().join(),
    (s) => s === 'owner,standby',
  );
  await allSettled();
  await Promise.all([first.stop(), second.stop()]);
  expect(firstOccurrences(await readAll(kafka, topic)).byKey.get('key')).toEqual(upTo(40));
});

test('goes on by itself after every connection to Postgres was cut', async () => {
  const relay = relaying(10);
  for (let i = 0; i < 5; i++) {
    for (let n = 0; n < 20; n++) await record(db.pool, topic, `key-${n % 3}`);
    await wait(Math.random() * 30);
    await db.cut();
  }
  await allSettled();
  await relay.stop();
  const { byKey } = firstOccurrences(await readAll(kafka, topic));
  expect([...byKey.values()].every((s) => s.join() === upTo(s.length).join())).toBe(true);
  expect([...byKey.values()].flat()).toHaveLength(100);
}, 60_000);

test('a fact that Kafka refuses alone parks its key: later ones wait, other keys go on', async () => {
  await record(db.pool, topic, 'large');
  await record(db.pool, topic, 'other');
  await record(db.pool, topic, 'large', { filling: 'x'.repeat(2_000_000) });
  await record(db.pool, topic, 'other');
  await record(db.pool, topic, 'large');
  const relay = relaying();
  await allSettled();
  await record(db.pool, topic, 'large');
  await record(db.pool, topic, 'other');
  await allSettled();
  await relay.stop();

  const { byKey } = firstOccurrences(await readAll(kafka, topic));
  expect(Object.fromEntries(byKey)).toEqual({ large: [1], other: [1, 2, 3] });
  const { rows: parked } = await db.pool.query('select topic, key, reason from parked_keys');
  expect(parked).toEqual([{ topic, key: 'large', reason: 'MESSAGE_TOO_LARGE' }]);
  const { rows: waiting } = await db.pool.query<{ sequence: string }>(
    `select o.headers ->> 'ce_sequence' as sequence from parked_facts p join outbox o on o.id = p.outbox_id order by place`,
  );
  expect(waiting.map(({ sequence }) => sequence)).toEqual(['2', '3', '4']);
});

test('a backlog is read through the index and in pages', async () => {
  await db.pool.query(
    `insert into outbox (topic, key, headers, value)
     select $1, 'key-' || n % 50, jsonb_build_object('ce_sequence', ((n / 50) + 1)::text), '{}'
     from generate_series(0, 9999) n`,
    [topic],
  );
  const relay = relaying(1_000);
  await allSettled();
  await relay.stop();
  const { byKey, repeats } = firstOccurrences(await readAll(kafka, topic));
  expect([byKey.size, repeats]).toEqual([50, 0]);
  expect([...byKey.values()].every((s) => s.join() === upTo(200).join())).toBe(true);
});
