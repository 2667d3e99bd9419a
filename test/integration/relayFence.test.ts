import { withTransaction } from '../../platform/postgres';
import { beat, giveUp, leave } from '../../platform/relay/lease';
import {
  countSent,
  LaneLost,
  loadPosition,
  movePosition,
  movePositionAndPark,
  type Holding,
} from '../../platform/relay/position';
import { eventually, firstOccurrences, readAll, record } from '../support/backbone';
import { useRelay } from '../support/relayBench';

/** A lane's position, and what it has counted, are its owner's alone: whoever has lost the lane changes neither. */

const bench = useRelay();
const laneOf = async (key: string): Promise<number> =>
  (await bench.db.pool.query<{ lane: number }>('select outbox_lane($1) as lane', [key])).rows[0]!.lane;
const rowOf = async (lane: number): Promise<object | undefined> =>
  (await bench.db.pool.query<object>('select * from relay_lanes where lane = $1', [lane])).rows[0];

test('an owner with an old epoch moves no position, counts nothing, parks nothing and frees no lane', async () => {
  const { pool } = bench.db;
  await beat(pool, 'before');
  await record(pool, bench.topic, 'key');
  const lane = await laneOf('key');
  const holdingOf = async (member: string): Promise<Holding> =>
    (await beat(pool, member)).held.find((one) => one.lane === lane)!;
  const old = await holdingOf('before');
  await pool.query(`update relay_lanes set leased_until = '-infinity'`);
  await leave(pool, 'before');
  const now = await holdingOf('after');
  expect(now).toEqual({ lane, epoch: old.epoch + 1 });
  const at = { from: '1:9:', to: '1:20:', lastId: 7 };
  const floor = { of: '1:20:', xid: '21', id: 9 };
  await movePosition(pool, now, { ...at, floor }, 3);

  const asItWas = await rowOf(lane);
  const next = { from: '1:20:', to: null, lastId: 0, floor: null };
  const parked = [{ topic: bench.topic, key: 'key', outboxId: 1, reason: 'MESSAGE_TOO_LARGE' }];
  const facts = [{ id: 1, topic: bench.topic, key: 'key', headers: {}, value: '{}', parked: false }];
  for (const deed of [
    () => loadPosition(pool, old),
    () => movePosition(pool, old, next, 5),
    () => countSent(pool, old, 5),
    () => movePositionAndPark(pool, old, next, { facts, parked }),
  ])
    await expect(deed()).rejects.toBeInstanceOf(LaneLost);
  await giveUp(pool, old);
  expect(await rowOf(lane)).toEqual(asItWas);
  expect((await pool.query('select from parked_keys union all select from parked_facts')).rowCount).toBe(0);

  expect(await loadPosition(pool, now)).toEqual({ ...at, floor });
  await countSent(pool, now, 1);
  expect(await rowOf(lane)).toEqual({ ...asItWas, facts: 4 });

  // A relay of before floors has moved it meanwhile.
  await pool.query(
    `update relay_lanes set from_snapshot = '1:20:', to_snapshot = '1:30:', last_id = 8 where lane = $1`,
    [lane],
  );
  expect(await loadPosition(pool, now)).toMatchObject({ lastId: 8, floor: null });
});

test('a relay whose lane is taken while it sends leaves the position to the next one, who repeats the fact', async () => {
  const { pool } = bench.db;
  const lane = await laneOf('key');
  const relay = bench.relaying();
  await record(pool, bench.topic, 'key');
  await bench.allSettled();
  await withTransaction(pool, async (tx) => {
    await tx.query(
      `update relay_lanes set owner = 'another', epoch = epoch + 1, leased_until = now() + interval '1 minute'
       where lane = $1`,
      [lane],
    );
    await record(pool, bench.topic, 'key');
    // The fact is in Kafka, and the position's move behind it waits for the row.
    await eventually(
      () =>
        pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
             and query like 'update relay_lanes set from_snapshot%'`,
        ),
      ({ rowCount }) => rowCount === 1,
    );
  });
  const asItWas = await rowOf(lane);
  expect(asItWas).toMatchObject({ owner: 'another', facts: 1 });
  await relay.stop();
  expect(await rowOf(lane)).toEqual(asItWas);

  await pool.query(`update relay_lanes set leased_until = '-infinity' where lane = $1`, [lane]);
  const next = bench.relaying();
  await bench.allSettled();
  await next.stop();
  const { byKey, repeats } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([byKey.get('key'), repeats]).toEqual([[1, 2], 1]);
}, 60_000);
