import { createFinder } from '../../consumers/location/finder';
import { createPositionsHandler } from '../../consumers/location/handler';
import type { Others } from '../../consumers/location/others';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { RidesUnderWay, watchRides } from '../../consumers/location/ridesUnderWay';
import { locationRoutes } from '../../consumers/location/routes';
import { problemPages } from '../../contracts/api/problems';
import { takesOf } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { createRegions } from '../../domain/regions';
import { createClient } from '../../platform/client';
import { createHttpApp, listen } from '../../platform/http';
import { createFactProducer, createTopics, type FactProducer } from '../../platform/kafka';
import { createFindNearby } from '../../services/rides/location';
import { deleteTopics, eventually, quiet, running, stopAll, testKafka, unique } from '../support/backbone';
import { recordOf, type TestFact } from '../support/consumers';

const kafka = testKafka();
const prefix = unique('free-');
const topic = `${prefix}rides`;
const here = { lat: 40.75, lng: -73.98 };
const nowMs = 1_795_366_800_000;
/** More than dispatch asks for. */
const near = Array.from({ length: 60 }, (_, n) => `near-${String(n).padStart(2, '0')}`);
let producer: FactProducer;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  await createTopics(kafka, [{ topic, partitions: 3 }]);
  producer = createFactProducer(kafka, { log: quiet });
});
afterEach(async () => {
  await stopAll();
  await Promise.all(closing.splice(0).map((close) => close()));
});
afterAll(async () => {
  await producer.disconnect();
  await deleteTopics(kafka, [topic]);
});

/** A location process that holds all positions, and what dispatch asks it for. */
async function startLocation() {
  const rides = new RidesUnderWay((driverId, isFree) => index.setFree(driverId, isFree));
  const index: PositionIndex = new PositionIndex({ isOnRide: (driverId) => rides.isOnRide(driverId) });
  const handler = createPositionsHandler({ index, keepMs: 60_000, now: () => nowMs });
  const finder = createFinder({
    ...{ index, others: {} as Others, regions: createRegions(100_000), now: () => nowMs },
    holding: { partitions: 1, answersFor: () => true },
  });
  running((signal) =>
    watchRides({ kafka, topicPrefix: prefix, ownUrl: unique('http://location'), rides, signal, log: quiet }),
  );
  const app = createHttpApp({
    ...{ log: quiet, problems: problemPages, ready: {} },
    routes: (router) =>
      locationRoutes(
        router,
        () => (req, _res, next) => {
          req.caller = { sub: 'rides', role: 'service' };
          next();
        },
        { finder, index, handler },
      ),
  });
  const server = await listen(app, { port: 0, portVariable: 'NONE' });
  closing.push(() => server.close());
  const findNearby = createFindNearby(
    createClient({ name: 'location', baseUrl: server.url, token: 't', deadlineMs: 2_000 }),
  );
  return {
    rides,
    /** All are where they were: the farthest last. */
    hear(sequence: number): void {
      const writer = new PositionWriter(nowMs);
      const takes = takesOf({ vehicle: 'standard', isOnline: true });
      for (const [n, driverId] of [...near, 'farther'].entries())
        writer.add({ driverId, lat: here.lat + n / 1e5, lng: here.lng, sequence, atMs: nowMs, takes });
      handler.take([{ partition: 0, timestamp: nowMs, value: Buffer.from(writer.finish()) }]);
    },
    nearby: async (limit = 50) => {
      const found = await findNearby(here, { product: 'standard', radiusMeters: 3_000, limit });
      return found.map(({ driverId }) => driverId);
    },
  };
}

const tell = (facts: readonly Omit<TestFact, 'topic' | 'time'>[]) =>
  producer.send(
    facts.map((fact) => recordOf({ ...fact, topic: 'rides', time: new Date().toISOString() }, topic)),
  );
const assigned = (driverId: string, key = `ride-of-${driverId}`) => ({
  ...{ key, sequence: 3, type: 'ride.driver_assigned', data: { driverId, offerId: crypto.randomUUID() } },
});
const completed = (driverId: string, key = `ride-of-${driverId}`) => ({
  ...{ key, sequence: 6, type: 'ride.completed', data: { driverId, chargeMinor: 1_250, currency: 'USD' } },
});

test('dispatch is told of who is free behind any number of drivers who are on a ride', async () => {
  const before = await startLocation();
  // Some are heard of before they get their ride, some after.
  before.hear(1);
  await tell(near.map((driverId) => assigned(driverId)));
  await eventually(
    () => near.filter((driverId) => before.rides.isOnRide(driverId)).length,
    (onRide) => onRide === near.length,
  );
  expect((await before.nearby())[0]).toBe('farther');
  // And those who may be about to finish, as many again.
  expect(await before.nearby()).toHaveLength(51);
  before.hear(2);
  expect((await before.nearby())[0]).toBe('farther');

  // A process that begins anew reads it from the log, and so does one that hears of rides first.
  const anew = await startLocation();
  await eventually(() => anew.rides.isOnRide('near-59') && anew.rides.isOnRide('near-00'), Boolean);
  await eventually(
    () => near.filter((driverId) => anew.rides.isOnRide(driverId)).length,
    (onRide) => onRide === near.length,
  );
  anew.hear(3);
  expect((await anew.nearby())[0]).toBe('farther');

  await tell([
    completed('near-00'),
    // The next ride may be heard of before the last one's end.
    assigned('near-01', 'next-ride-of-near-01'),
    {
      key: 'ride-of-near-02',
      sequence: 4,
      type: 'ride.driver_unassigned',
      data: { driverId: 'near-02', reason: 'r' },
    },
    { key: 'ride-of-near-04', sequence: 4, type: 'ride.driver_assigned', data: { driverId: 5 } },
  ]);
  await tell([completed('near-01'), completed('near-03')]);
  for (const location of [before, anew])
    await eventually(
      () => location.nearby(4),
      (found) => String(found.slice(0, 4)) === 'near-00,near-02,near-03,farther',
    );
});
