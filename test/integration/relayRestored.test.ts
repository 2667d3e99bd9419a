import { emptyPublishedSegments } from '../../platform/relay/rotation';
import { eventually, firstOccurrences, quiet, readAll, record } from '../support/backbone';
import { useRelay } from '../support/relayBench';

/** A database that was restored from a dump into another cluster, whose transactions have lower numbers. */

const bench = useRelay();

test('nothing is taken for sent, and all is sent once an operator says that it shall begin anew', async () => {
  const { pool } = bench.db;
  await record(pool, bench.topic, 'key');
  const before = bench.relaying();
  await bench.allSettled();
  await before.stop();
  await pool.query(
    `update relay_lanes set from_snapshot = '900000000:900000000:', to_snapshot = null, floor = null`,
  );
  await pool.query(`update outbox set xid = '899999999'`);
  await record(pool, bench.topic, 'key');

  const left: string[] = [];
  const relay = bench.relaying({
    log: {
      debug() {},
      info() {},
      error() {},
      warn: ({ err }: { err?: Error }) => void left.push(err?.name ?? ''),
    },
  });
  await eventually(
    () => Promise.resolve(new Set(left)),
    (names) => names.has('DatabaseSetBack'),
  );
  await pool.query(
    `create or replace function outbox_segment() returns smallint language sql stable
     return (select (segment + 1) % 4 from outbox limit 1)::smallint`,
  );
  expect(await emptyPublishedSegments(pool, quiet)).toEqual([]);
  expect(await bench.facts()).toBe(2);

  await pool.query('select outbox_begin_anew()');
  await eventually(
    async () => firstOccurrences(await readAll(bench.kafka, bench.topic)).byKey.get('key') ?? [],
    (versions) => versions.length === 2,
    20_000,
  );
  await relay.stop();
  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect(byKey.get('key')).toEqual([1, 2]);
}, 60_000);
