import { v7 as uuidv7 } from 'uuid';
import { projectionHash } from '../../platform/projectionHash';
import { stopAll } from '../support/backbone';
import {
  cityFacts,
  rideStory,
  startReplayGround,
  type LiveConsumer,
  type ReplayGround,
} from '../support/replayGround';

/** Who drove which ride when is made anew from facts; what positions have made stays beside it. */

jest.setTimeout(120_000);

let ground: ReplayGround;
let live: LiveConsumer;
beforeAll(async () => {
  ground = await startReplayGround();
  await ground.start('audit');
  live = await ground.start('tracks');
  await ground.send(cityFacts(20));
  await ground.settled();
});
afterAll(async () => {
  await ground?.stop();
  await stopAll();
});

const hash = () => projectionHash(live.pool, live.projection.tables);

test('a replay comes to the same, and leaves ways and zones as they are', async () => {
  const before = await hash();
  const { rows } = await live.pool.query<{ rideId: string }>(
    `insert into path_chunks select '2026-03-01', ride_id, leg, 0, 1, 2, 3, 'sealed' from ride_paths
     returning ride_id as "rideId"`,
  );
  expect(rows).toHaveLength(20);
  await live.pool.query(`insert into path_positions values (0, 17)`);
  await live.pool.query(`insert into zone_stays values ('driver-1', '{jfk}', 5, 1)`);
  expect(await ground.replay('--consumer', 'tracks', '--check')).toMatchObject({ code: 0 });

  await live.pool.query(`update ride_paths set driver_id = 'nobody'`);
  await live.pool.query('insert into ride_paths (ride_id, rider_id) values ($1, $2)', [uuidv7(), 'nobody']);
  expect(await hash()).not.toBe(before);
  expect(await ground.replay('--consumer', 'tracks')).toMatchObject({ code: 0 });
  expect(await hash()).toBe(before);
  const kept = await live.pool.query<{ chunks: number; next: number; stays: number }>(
    `select (select count(*) from path_chunks join ride_paths using (ride_id, leg)) as chunks,
       (select next_offset from path_positions) as next, (select count(*) from zone_stays) as stays`,
  );
  expect(kept.rows).toEqual([{ chunks: 20, next: 17, stays: 1 }]);

  const [{ rideId }] = rows as [{ rideId: string }];
  await live.pool.query(`update ride_paths set rider_id = 'nobody' where ride_id = $1`, [rideId]);
  expect(await ground.replay('--consumer', 'tracks', '--keys', rideId)).toMatchObject({ code: 0 });
  expect(await hash()).toBe(before);
});

test('a dead letter whose fact can be applied by now is applied by the switch', async () => {
  const rideId = uuidv7();
  await live.pool.query(`alter table ride_paths add constraint refused check (ride_id <> '${rideId}')`);
  await ground.send(rideStory(3, rideId));
  await ground.settled();
  await live.pool.query('alter table ride_paths drop constraint refused');
  const dead = async () => (await live.pool.query('select from inbox_parked where head')).rowCount;
  expect(await dead()).toBe(1);
  expect(await ground.replay('--consumer', 'tracks')).toMatchObject({ code: 0 });
  expect(await dead()).toBe(0);
  expect((await live.pool.query('select from ride_paths where ride_id = $1', [rideId])).rowCount).toBe(1);
});
