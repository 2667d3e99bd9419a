import { createFinder, type Finder } from '../../consumers/location/finder';
import { createPositionsHandler } from '../../consumers/location/handler';
import type { Others } from '../../consumers/location/others';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { locationRoutes } from '../../consumers/location/routes';
import { problemPages } from '../../contracts/api/problems';
import { takesOf } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { createRegions, keyOfRegion } from '../../domain/regions';
import { createClient } from '../../platform/client';
import { createHttpApp, listen, type Listening } from '../../platform/http';
import { partitionFor } from '../../platform/kafka';
import { createFindNearby, createWhereIs } from '../../services/rides/location';
import { quiet } from '../support/backbone';

/** What a location process is asked: what lies here, and what another one answers. */

let server: Listening;
let finder: Finder;
const regions = createRegions(100_000);
let held = [0, 1];
const answersFor = (partition: number): boolean => held.includes(partition);
/** Another process, which answers for these partitions and knows these drivers. */
let other: { partitions: number[]; drivers: unknown[] } = { partitions: [], drivers: [] };
/** The partitions for which it was asked, each time. */
let asked: number[][] = [];
const others = {
  ask: (missing: Set<number>) => {
    asked.push([...missing]);
    for (const partition of other.partitions) missing.delete(partition);
    return Promise.resolve([{ position: null, ...other }]);
  },
} as unknown as Others;
afterEach(() => {
  held = [0, 1];
  other = { partitions: [], drivers: [] };
  asked = [];
});
beforeAll(async () => {
  const index = new PositionIndex();
  const handler = createPositionsHandler({ index, keepMs: 60_000, now: () => 10_000 });
  const writer = new PositionWriter(10_000);
  writer.add({ driverId: 'd1', lat: 40.75, lng: -73.98, sequence: 1, atMs: 8_000 });
  const cars = [['standard', true] as const, ['xl', true] as const, ['xl', false] as const];
  for (const [n, [vehicle, isOnline]] of cars.entries()) {
    const [driverId, takes] = [`${vehicle}-${isOnline ? 'on' : 'off'}`, takesOf({ vehicle, isOnline })];
    writer.add({ driverId, lat: 40.6 + n / 10_000, lng: -73.9, sequence: 1, atMs: 8_000, takes });
  }
  handler.take([{ partition: 0, timestamp: 10_000, value: Buffer.from(writer.finish()) }]);
  finder = createFinder({
    ...{ index, others, regions, now: () => 10_000 },
    holding: { partitions: 2, answersFor },
  });
  const app = createHttpApp({
    log: quiet,
    problems: problemPages,
    ready: {},
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
  server = await listen(app, { port: 0, portVariable: 'NONE' });
});
afterAll(() => server.close());

const get = async (query: string) => {
  const response = await fetch(`${server.url}/internal/nearest?${query}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('answers who is near, how far and how old that is', async () => {
  expect(await get('lat=40.751&lng=-73.98&radiusMeters=500&limit=5&maxAgeMs=5000')).toEqual({
    status: 200,
    body: {
      drivers: [
        {
          driverId: 'd1',
          lat: 40.75,
          lng: -73.98,
          distanceMeters: expect.closeTo(111.2, 1),
          ageMs: 2_000,
          sequence: 1,
        },
      ],
    },
  });
});

test.each([
  ['standard', ['standard-on', 'xl-on']],
  ['courier', ['standard-on', 'xl-on']],
  ['xl', ['xl-on']],
] as const)('tells dispatch of a %s ride who is on a shift in a car that serves it', async (product, ids) => {
  const location = createClient({ name: 'location', baseUrl: server.url, token: 't', deadlineMs: 2_000 });
  const nearby = createFindNearby(location);
  const found = await nearby({ lat: 40.6, lng: -73.9 }, { product, radiusMeters: 1_000, limit: 10 });
  expect(found.map(({ driverId }) => driverId)).toEqual(ids);
});

test('answers who would be there first, whoever of all processes has them', async () => {
  held = [];
  const across = { lat: 40.737, lng: -74.028, distanceMeters: 1_605, ageMs: 5, sequence: 1 };
  const along = { lat: 40.753, lng: -73.999, distanceMeters: 2_070, ageMs: 5, sequence: 1 };
  other = {
    partitions: [0, 1],
    drivers: [
      { ...across, driverId: 'across the river' },
      { ...along, driverId: 'along the shore' },
    ],
  };
  const { body } = await get('lat=40.736&lng=-74.009&radiusMeters=2500&limit=3&maxAgeMs=5000');
  const ids = (body['drivers'] as { driverId: string }[]).map(({ driverId }) => driverId);
  expect(ids).toEqual(['along the shore', 'across the river']);
});

test('asks the others for what it does not hold, and of two that know a driver takes the newest', async () => {
  held = [];
  const found = { lat: 40.751, lng: -73.98, distanceMeters: 0, ageMs: 5 };
  const drivers = [
    { ...found, driverId: 'd2', sequence: 4 },
    { ...found, driverId: 'd1', sequence: 3, lat: 40.7511, distanceMeters: 11 },
  ];
  other = { partitions: [0, 1], drivers };
  expect(await get('lat=40.751&lng=-73.98&radiusMeters=500&limit=5&maxAgeMs=5000')).toEqual({
    status: 200,
    body: { drivers },
  });
});

test('needs nobody else where it holds the regions that the circle touches, and asks for those alone that it does not', async () => {
  const at = { lat: 40.751, lng: -73.98 };
  const nearest = (radiusMeters: number) =>
    get(`lat=${at.lat}&lng=${at.lng}&radiusMeters=${radiusMeters}&limit=5&maxAgeMs=5000`);
  const partitionsTouched = (radiusMeters: number) => {
    const touched = regions.touching(at, radiusMeters);
    return touched.map((region) => partitionFor(keyOfRegion(region), 2));
  };
  held = partitionsTouched(0);
  expect([held, partitionsTouched(500), partitionsTouched(30_000)]).toEqual([[0], [0], [0, 0]]);
  for (const radiusMeters of [500, 30_000]) {
    const { status, body } = await nearest(radiusMeters);
    expect([status, (body['drivers'] as { driverId: string }[])[0]!.driverId]).toEqual([200, 'd1']);
  }
  expect(asked).toEqual([]);

  expect(new Set(partitionsTouched(50_000))).toEqual(new Set([0, 1]));
  expect((await nearest(50_000)).status).toBe(503);
  const beyond = { driverId: 'd2', lat: 40.4, lng: -73.6, distanceMeters: 50_000, ageMs: 5, sequence: 1 };
  other = { partitions: [1], drivers: [beyond] };
  const { status, body } = await nearest(50_000);
  expect([status, (body['drivers'] as { driverId: string }[]).at(-1)!.driverId]).toEqual([200, 'd2']);
  expect(asked).toEqual([[1], [1]]);
});

test('answers 503 while nobody can answer for a region that the circle touches', async () => {
  held = [];
  expect(await get('lat=40.751&lng=-73.98&radiusMeters=500&limit=5&maxAgeMs=5000')).toMatchObject({
    status: 503,
    body: { code: 'dependency_unavailable' },
  });
});

test.each([
  'lat=91&lng=0&radiusMeters=500&limit=5&maxAgeMs=5000',
  'lat=&lng=0&radiusMeters=500&limit=5&maxAgeMs=5000',
  'lat=NaN&lng=0&radiusMeters=500&limit=5&maxAgeMs=5000',
  'lat=0&lng=0&radiusMeters=0&limit=5&maxAgeMs=5000',
  'lat=0&lng=0&radiusMeters=60000&limit=5&maxAgeMs=5000',
  'lat=0&lng=0&radiusMeters=500&limit=1000&maxAgeMs=5000',
  'lat=0&lng=0&radiusMeters=500&limit=5',
  'lat=0&lng=0&radiusMeters=500&limit=5&maxAgeMs=5000&more=1',
])('refuses %s', async (query) => {
  expect(await get(query)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
});

describe('where a driver is, as rides ask', () => {
  const whereIs = () =>
    createWhereIs(createClient({ name: 'location', baseUrl: server.url, token: 't', deadlineMs: 2_000 }));

  test('is told up to the age that is asked for, a minute or any', async () => {
    const seen = { lat: 40.75, lng: -73.98, ageMs: 2_000 };
    expect(await whereIs()('d1')).toEqual(seen);
    expect(await whereIs()('d1', Infinity)).toEqual(seen);
    expect(await whereIs()('d1', 1_999)).toBeNull();
    expect(await whereIs()('nobody')).toBeNull();
  });

  test('is unknown while nobody can answer for a partition', async () => {
    held = [0];
    expect(await whereIs()('d1', Infinity)).toBe('unknown');
  });
});
