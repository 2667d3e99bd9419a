import { v7 as uuidv7 } from 'uuid';
import { openPosition, resetPosition, writeWays } from '../../consumers/tracks/paths/chunks';
import { Collector } from '../../consumers/tracks/paths/collector';
import { turnDays } from '../../consumers/tracks/paths/days';
import { Legs, type DrivenRide } from '../../consumers/tracks/paths/legs';
import type { DriverPosition } from '../../contracts/positionRecord';
import { createRegions } from '../../domain/regions';
import { loadConfig } from '../../platform/config';
import { wait } from '../../platform/wait';
import { pack } from '../../services/gateway/positions';
import { eventually, stopAll, upTo } from '../support/backbone';
import { drivenRide, tracksGround, type TracksGround } from '../support/tracksGround';

/** The way of a ride, as it is kept. */

jest.setTimeout(120_000);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let ground: TracksGround;
beforeAll(async () => {
  ground = await tracksGround();
});
afterEach(stopAll);
afterAll(async () => {
  await stopAll();
  await ground?.stop();
});

const way = (driverId: string, sequences: readonly number[], fromMs: number): DriverPosition[] =>
  sequences.map((n) => ({
    ...{ driverId, sequence: n, atMs: fromMs + n },
    ...{ lat: 40.7 + n / 10_000, lng: -73.9 - n / 10_000 },
  }));
const pointsOf = (positions: readonly DriverPosition[]) =>
  positions.map(({ atMs, lat, lng }) => ({ atMs, lat: Math.round(lat * 1e6), lng: Math.round(lng * 1e6) }));

/** In which nobody says anything. */
const emptyRecord = { topic: 'driver-positions', key: null, value: null, headers: {} };

async function positionOf(partition: number): Promise<number> {
  const { rows } = await ground.pool.query<{ next: number }>(
    'select next_offset as next from path_positions where partition = $1',
    [partition],
  );
  return rows[0]!.next;
}

async function hearOfRide(fromMs: number): Promise<void> {
  await ground.tell(drivenRide(uuidv7(), 'gus', { fromMs }));
  await ground.settled('tracks');
}

test('is what its driver said between getting the ride and its end, and of nobody else', async () => {
  ground.start();
  const [rideId, other] = [uuidv7(), uuidv7()];
  const fromMs = Date.now() - 1_000;
  await ground.tell([
    ...drivenRide(rideId, 'ada', { fromMs: fromMs + 10, untilMs: fromMs + 30 }),
    ...drivenRide(other, 'bob', { fromMs }),
  ]);
  await ground.settled('tracks');
  const [ada, bob] = [way('ada', upTo(40), fromMs), way('bob', upTo(5), fromMs)];
  await ground.say([...ada, ...bob, ...way('cleo', upTo(5), fromMs)]);
  await ground.settled('tracks-paths');
  expect(await ground.wayOf(rideId)).toEqual(pointsOf(ada.slice(9, 30)));
  expect(await ground.wayOf(other)).toEqual(pointsOf(bob));
  const { rows } = await ground.pool.query<{ rides: number }>(
    'select count(distinct ride_id) as rides from path_chunks',
  );
  expect(rows[0]!.rides).toBe(2);
});

test('is whole where the ride is heard of long after its positions', async () => {
  ground.start({ chunkMs: 100 });
  await ground.say(way('before', upTo(3), Date.now() - 5_000));
  await ground.settled('tracks-paths');
  await wait(400);
  const beganMs = Date.now() - 310;
  for (let i = 0; i < 300; i += 100) {
    const steps = upTo(100).map((n) => i + n);
    await ground.say(['dan', 'don'].flatMap((driverId) => way(driverId, steps, beganMs)));
    await ground.settled('tracks-paths');
  }
  for (const [driverId, fromMs] of [
    // Before any record that is kept was sent.
    ['don', beganMs - 2 * HOUR_MS],
    ['dan', beganMs],
  ] as const) {
    const rideId = uuidv7();
    await ground.tell(drivenRide(rideId, driverId, { fromMs }));
    await ground.say(way('after', [1], Date.now()));
    const found = await eventually(
      () => ground.wayOf(rideId),
      (points) => points.length >= 300,
    );
    expect(found.length).toBe(300);
  }
});

test('is looked for from where reading was before the ride, however long nothing came, or where it began anew', async () => {
  const { pool, vault } = ground;
  const [partition, legs, nowMs] = [7, new Legs(), Date.now()];
  const readTo = async (next: number, sentMs: number): Promise<void> => {
    const collector = new Collector(partition, await positionOf(partition), sentMs, sentMs);
    collector.take([{ ...emptyRecord, partition, offset: next - 1, timestamp: sentMs }], legs, nowMs);
    const options = { pool, vault, legs, sinceMs: () => sentMs, onNew: () => {}, now: Date.now };
    expect(await writeWays(collector, options)).toBe(true);
  };
  ground.start();
  await openPosition(pool, partition, 0, nowMs - 3 * HOUR_MS);
  await readTo(10, nowMs - 3 * HOUR_MS);
  await readTo(20, nowMs);
  await hearOfRide(nowMs - 2 * HOUR_MS);
  expect(await positionOf(partition)).toBe(10);
  await resetPosition(pool, partition, 10, 40);
  await readTo(50, nowMs);
  await hearOfRide(nowMs - 2 * HOUR_MS);
  expect(await positionOf(partition)).toBe(40);
});

test('is read again for a ride that is heard of late from where that began, and no further back', async () => {
  const { pool, vault } = ground;
  const [partition, legs, nowMs] = [8, new Legs(), Date.now()];
  const sinceMs = () => nowMs - 10_000;
  await openPosition(pool, partition, 0, sinceMs());
  await legs.look(pool, sinceMs(), nowMs);
  const collector = new Collector(partition, 0, sinceMs(), nowMs);
  const sentMs = upTo(10).map((n) => sinceMs() + n * 1_000);
  const records = sentMs.map((timestamp, offset) => ({ ...emptyRecord, partition, offset, timestamp }));
  collector.take(records, legs, nowMs);
  ground.start();
  await hearOfRide(sentMs[5]! - 500);
  const onNew = (rides: readonly DrivenRide[]) => collector.learn(rides);
  const options = { pool, vault, legs, sinceMs, onNew, now: Date.now };
  expect(await writeWays(collector, options)).toBe(false);
  expect(await positionOf(partition)).toBe(5);
});

test('does not wait for the time of a gateway whose clock is ahead', async () => {
  const rideId = uuidv7();
  ground.start();
  const fromMs = Date.now() - 1_000;
  await ground.tell(drivenRide(rideId, 'hal', { fromMs }));
  await ground.settled('tracks');
  const topic = `${ground.places.prefix}driver-positions`;
  const [said, aheadMs] = [way('hal', upTo(6), fromMs), Date.now() + HOUR_MS / 2];
  const regions = createRegions(100_000);
  const producer = ground.kafka.producer();
  await producer.connect();
  const messages = pack(said.slice(0, 5), { topic, perRecord: 2, regions }, aheadMs).map(
    ({ key, value }) => ({
      ...{ key, value, timestamp: String(aheadMs) },
    }),
  );
  await producer.send({ topic, messages }).finally(() => producer.disconnect());
  await ground.say(said.slice(5));
  await ground.settled('tracks-paths');
  expect(await ground.wayOf(rideId)).toEqual(pointsOf(said));
});

test('ends where its driver got the next ride, as long as its own end is not known', async () => {
  const [first, second, others] = [uuidv7(), uuidv7(), uuidv7()];
  const [driver, namesake] = [1, 2].map((n) => `a-driver-with-a-long-id-${n}`) as [string, string];
  ground.start();
  const fromMs = Date.now() - 1_000;
  await ground.tell([
    ...drivenRide(second, driver, { fromMs: fromMs + 20 }),
    ...drivenRide(first, driver, { fromMs }),
    ...drivenRide(others, namesake, { fromMs }),
  ]);
  await ground.settled('tracks');
  const said = way(driver, upTo(40), fromMs);
  await ground.say([...said, ...way(namesake, upTo(3), fromMs)]);
  await ground.settled('tracks-paths');
  expect(await ground.wayOf(first)).toEqual(pointsOf(said.slice(0, 19)));
  expect(await ground.wayOf(second)).toEqual(pointsOf(said.slice(19)));
  expect(await ground.wayOf(others)).toHaveLength(3);
});

test('is gone when its rider is erased', async () => {
  const rideId = uuidv7();
  ground.start();
  const fromMs = Date.now() - 1_000;
  await ground.tell(drivenRide(rideId, 'eve', { fromMs }));
  await ground.settled('tracks');
  await ground.say(way('eve', upTo(5), fromMs));
  await ground.settled('tracks-paths');
  expect(await ground.wayOf(rideId)).toHaveLength(5);
  await ground.vault.erase('rider-of-eve');
  expect(await ground.wayOf(rideId)).toEqual([]);
});

test('is kept in the partition of the day on which its driver got the ride, also beyond midnight', async () => {
  ground.start();
  const [today, yesterday] = [uuidv7(), uuidv7()];
  const nowMs = Date.now();
  await ground.tell([
    ...drivenRide(today, 'ivy', { fromMs: nowMs }),
    ...drivenRide(yesterday, 'jan', { fromMs: nowMs - DAY_MS }),
  ]);
  await ground.settled('tracks');
  await ground.say(way('ivy', upTo(4), nowMs));
  await ground.say([...way('jan', upTo(3), nowMs - DAY_MS), ...way('jan', [4, 5], nowMs)]);
  await ground.settled('tracks-paths');
  const { rows } = await ground.pool.query<{ rideId: string; lies: string; points: number }>(
    `select ride_id as "rideId", tableoid::regclass::text as lies, sum(points) as points from path_chunks
     where ride_id = any ($1) group by ride_id, tableoid order by ride_id`,
    [[today, yesterday]],
  );
  const partitionOf = (ms: number) =>
    `path_chunks_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '_')}`;
  expect(rows).toEqual([
    { rideId: today, lies: partitionOf(nowMs), points: 4 },
    { rideId: yesterday, lies: partitionOf(nowMs - DAY_MS), points: 5 },
  ]);
});

test('is kept, unless told otherwise, for the 120 days in which a card’s payment may be disputed', async () => {
  const [rideId, day] = [uuidv7(), new Date(Date.now() - 120 * DAY_MS).toISOString().slice(0, 10)];
  await ground.pool.query('select ensure_path_day($1)', [day]);
  await ground.pool.query(`insert into path_chunks values ($1, $2, 1, 0, 0, 0, 1, '')`, [day, rideId]);
  await turnDays(ground.pool, loadConfig({}, ['TRACK_DAYS']).TRACK_DAYS);
  const { rowCount } = await ground.pool.query('select from path_chunks where ride_id = $1', [rideId]);
  expect(rowCount).toBe(1);
});

test('lies in the partition of its day, which goes as a whole', async () => {
  await turnDays(ground.pool, 90);
  const partitions = async () => {
    const { rows } = await ground.pool.query<{ name: string }>(
      `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
       where inhparent = 'path_chunks'::regclass order by relname`,
    );
    return rows.map(({ name }) => name);
  };
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const old = Date.now() - 100 * DAY_MS;
  await ground.pool.query('select ensure_path_day($1)', [day(old)]);
  for (const [ms, ride] of [
    [old, uuidv7()],
    [old - DAY_MS, uuidv7()],
  ] as const)
    await ground.pool.query(`insert into path_chunks values ($1, $2, 1, 0, 0, 0, 1, '')`, [day(ms), ride]);
  expect(await partitions()).toHaveLength(6);
  await turnDays(ground.pool, 90);
  expect(await partitions()).toHaveLength(5);
  const { rows } = await ground.pool.query('select from path_chunks where day < $1', [
    day(Date.now() - DAY_MS),
  ]);
  expect(rows).toEqual([]);
});
