import type { PoolClient } from 'pg';
import { emptyPublishedSegments } from '../../platform/relay/rotation';
import { commitNext, eventually, firstOccurrences, readAll, record } from '../support/backbone';
import { takesLess, tooLarge, useRelay } from '../support/relayBench';

/** The segments of an outbox that are emptied in turn, in a database whose clock stands. */

const bench = useRelay(takesLess);

const writeTo = (segment: number) =>
  bench.db.pool.query(
    `create or replace function outbox_segment() returns smallint language sql stable return ${segment}::smallint`,
  );
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
  expect(await emptyPublishedSegments(bench.db.pool)).toEqual([]);

  const late: PoolClient = await bench.db.pool.connect();
  await late.query('begin');
  await commitNext(late, bench.topic, 'late');
  await writeTo(1);
  // Its time is over, and somebody who began in it has not committed yet: nobody waits for that.
  expect(await emptyPublishedSegments(bench.db.pool)).toEqual([]);
  await late.query('commit');
  late.release();
  expect(await emptyPublishedSegments(bench.db.pool)).toEqual([]);
  expect(await bench.facts()).toBe(3);

  await relay(2);
  await record(bench.db.pool, bench.topic, 'early');
  expect(await emptyPublishedSegments(bench.db.pool)).toEqual([0]);
  expect(await bench.facts()).toBe(1);
  await relay(3);

  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect(Object.fromEntries(byKey)).toEqual({ early: [1, 2], late: [1] });
  const { rows: parked } = await bench.db.pool.query('select key from parked_facts');
  expect(parked).toEqual([{ key: 'large' }]);
});
