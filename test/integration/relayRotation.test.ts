import type { PoolClient } from 'pg';
import { createPool } from '../../platform/postgres';
import { emptyPublishedSegments } from '../../platform/relay/rotation';
import { commitNext, eventually, firstOccurrences, quiet, readAll, record } from '../support/backbone';
import { takesLess, tooLarge, useRelay } from '../support/relayBench';

/** The segments of an outbox that are emptied in turn, in a database whose clock stands. */

const bench = useRelay(takesLess);

const writeTo = (segment: number) =>
  bench.db.pool.query(
    `create or replace function outbox_segment() returns smallint language sql stable return ${segment}::smallint`,
  );
const emptied = () => emptyPublishedSegments(bench.db.pool, quiet);
const moved = async (): Promise<number> =>
  (await bench.db.pool.query<{ n: number }>('select sum(facts)::bigint as n from relay_lanes')).rows[0]!.n;

async function relay(until: number): Promise<void> {
  const relaying = bench.relaying();
  await eventually(moved, (n) => n === until, 20_000);
  await relaying.stop();
}

test('a segment is emptied when nobody writes to it and all of it is in Kafka or parked, never before', async () => {
  await writeTo(0);
  await record(bench.db.pool, bench.topic, 'early');
  await record(bench.db.pool, bench.topic, 'large', tooLarge);
  await relay(1);
  // It is written to now.
  expect(await emptied()).toEqual([]);

  const late: PoolClient = await bench.db.pool.connect();
  await late.query('begin');
  await commitNext(late, bench.topic, 'late');
  await writeTo(1);
  // Its time is over, and somebody who began in it has not committed yet: nobody waits for that.
  expect(await emptied()).toEqual([]);
  await late.query('commit');
  late.release();
  expect(await emptied()).toEqual([]);
  expect(await bench.facts()).toBe(3);

  await relay(2);
  await record(bench.db.pool, bench.topic, 'early');
  expect(await emptied()).toEqual([0]);
  expect(await bench.facts()).toBe(1);
  await relay(3);

  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect(Object.fromEntries(byKey)).toEqual({ early: [1, 2], late: [1] });
  const { rows: parked } = await bench.db.pool.query('select key from parked_facts');
  expect(parked).toEqual([{ key: 'large' }]);
});

test('what was committed to a segment while its lock was waited for is not lost', async () => {
  // As long as this test takes to commit, and no longer.
  await bench.db.pool.query(`alter function outbox_empty_segment set lock_timeout = '20s'`);
  await writeTo(0);
  await record(bench.db.pool, bench.topic, 'early');
  await relay(1);
  const late: PoolClient = await bench.db.pool.connect();
  await late.query('begin');
  await commitNext(late, bench.topic, 'late');
  await writeTo(1);
  const emptying = emptied();
  await eventually(
    async () =>
      (
        await bench.db.pool.query(
          `select from pg_locks where not granted and mode = 'AccessExclusiveLock' and relation = 'outbox_0'::regclass`,
        )
      ).rowCount,
    (n) => n === 1,
  );
  await late.query('commit');
  late.release();
  expect(await emptying).toEqual([]);
  await relay(2);
  expect(firstOccurrences(await readAll(bench.kafka, bench.topic)).byKey.get('late')).toEqual([1]);
  expect(await emptied()).toEqual([0]);
});

test('a segment that is looked at for long under its lock is left, and its lock with it', async () => {
  await writeTo(0);
  await record(bench.db.pool, bench.topic, 'key');
  await relay(1);
  // A look that does not end by itself, under the lock and not before.
  await bench.db.pool.query(
    `create or replace function outbox_segment() returns smallint language plpgsql as $$
       begin
         if exists (select from pg_locks where pid = pg_backend_pid() and mode = 'AccessExclusiveLock') then
           perform pg_sleep(3600);
         end if;
         return 1;
       end $$`,
  );
  const patient = createPool(bench.db.url, { applicationName: 'test', max: 1, statementTimeoutMs: 0 });
  expect(await emptyPublishedSegments(patient, quiet)).toEqual([]);
  await patient.end();
  expect(await bench.facts()).toBe(1);
  await writeTo(1);
  expect(await emptied()).toEqual([0]);
});
