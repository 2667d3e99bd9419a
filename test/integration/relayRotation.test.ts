import type { PoolClient } from 'pg';
import { createFactProducer, waitForCoordinator } from '../../platform/kafka';
import { runRelay } from '../../platform/relay';
import { emptyPublishedSegments } from '../../platform/relay/rotation';
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
  type TestDatabase,
} from '../support/backbone';

/** The segments of an outbox that are emptied in turn, in a database whose clock stands. */

const kafka = testKafka();
let db: TestDatabase;
let topic: string;

beforeAll(async () => {
  await waitForCoordinator(kafka);
  db = await testDatabase();
  topic = await testTopic(kafka, 3, unique('rotation'));
}, 60_000);
afterAll(async () => {
  await stopAll();
  await db.drop();
  await deleteTopics(kafka, [topic]);
});

const writeTo = (segment: number) =>
  db.pool.query(
    `create or replace function outbox_segment() returns smallint language sql stable return ${segment}::smallint`,
  );
const facts = async (): Promise<number> =>
  (await db.pool.query<{ n: number }>('select count(*) as n from outbox')).rows[0]!.n;
const moved = async (): Promise<number> =>
  (await db.pool.query<{ n: number }>('select sum(facts)::bigint as n from relay_lanes')).rows[0]!.n;

async function relay(until: number): Promise<void> {
  const relaying = running((signal) =>
    runRelay({
      ...{ databaseUrl: db.url, database: 'test', pollMs: 10, signal, log: quiet },
      createProducer: () => createFactProducer(kafka, { log: quiet }),
    }),
  );
  await eventually(moved, (n) => n === until, 20_000);
  await relaying.stop();
}

test('a segment is emptied when nobody writes to it and all of it is in Kafka or parked, never before', async () => {
  await writeTo(0);
  await record(db.pool, topic, 'early');
  await record(db.pool, topic, 'large', { filling: 'x'.repeat(2_000_000) });
  await relay(1);
  // It is written to now.
  expect(await emptyPublishedSegments(db.pool)).toEqual([]);

  const late: PoolClient = await db.pool.connect();
  await late.query('begin');
  await commitNext(late, topic, 'late');
  await writeTo(1);
  // Its time is over, and somebody who began in it has not committed yet: nobody waits for that.
  expect(await emptyPublishedSegments(db.pool)).toEqual([]);
  await late.query('commit');
  late.release();
  expect(await emptyPublishedSegments(db.pool)).toEqual([]);
  expect(await facts()).toBe(3);

  await relay(2);
  await record(db.pool, topic, 'early');
  expect(await emptyPublishedSegments(db.pool)).toEqual([0]);
  expect(await facts()).toBe(1);
  await relay(3);

  const { byKey } = firstOccurrences(await readAll(kafka, topic));
  expect(Object.fromEntries(byKey)).toEqual({ early: [1, 2], late: [1] });
  const { rows: parked } = await db.pool.query('select key from parked_facts');
  expect(parked).toEqual([{ key: 'large' }]);
});
