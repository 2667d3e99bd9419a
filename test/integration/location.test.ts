import { createFinder, type Finder } from '../../consumers/location/finder';
import { createPositionsHandler, type PositionsHandler } from '../../consumers/location/handler';
import { startHolding, type Holding } from '../../consumers/location/holding';
import type { Others } from '../../consumers/location/others';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { locationRoutes } from '../../consumers/location/routes';
import { problemPages } from '../../contracts/api/problems';
import type { PackedPosition } from '../../contracts/positions';
import { takesOf } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { createRegions } from '../../domain/regions';
import { createClient } from '../../platform/client';
import { createFindNearby } from '../../services/rides/location';
import { createHttpApp, listen, type Listening } from '../../platform/http';
import { createFactProducer, createTopics, type FactProducer } from '../../platform/kafka';
import { deleteTopics, eventually, quiet, testKafka, unique } from '../support/backbone';

const kafka = testKafka();
const topic = unique('driver-positions');
const here = { lat: 40.75, lng: -73.98 };
let producer: FactProducer;

beforeAll(async () => {
  await createTopics(kafka, [{ topic, partitions: 3 }]);
  producer = createFactProducer(kafka, { log: quiet });
});
afterAll(async () => {
  await producer.disconnect();
  await deleteTopics(kafka, [topic]);
});

/** Sends values as they are, or positions packed as the gateway does. */
const send = (values: (string | PackedPosition[])[], region = '832a10fffffffff') =>
  producer.send(
    values.map((value) => ({
      topic,
      key: region,
      value: typeof value === 'string' ? value : JSON.stringify({ v: 1, positions: value }),
      headers: {},
    })),
  );

interface Process {
  readonly index: PositionIndex;
  readonly handler: PositionsHandler;
  readonly holding: Holding;
  stop(): Promise<void>;
}

const started: Process[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop()));
});

/** A client of Kafka that says itself when it sent something. */
async function withProducer(
  work: (plain: ReturnType<typeof kafka.producer>) => Promise<void>,
): Promise<void> {
  const plain = kafka.producer();
  await plain.connect();
  await work(plain).finally(() => plain.disconnect());
}

/** In a group of its own: it holds everything. */
function startProcess(of = topic, keepMs = 60_000): Process {
  const index = new PositionIndex();
  const handler = createPositionsHandler({ index, keepMs, now: Date.now });
  const stopping = new AbortController();
  const holding = startHolding({
    ...{
      kafka,
      group: unique('location'),
      topic: of,
      copies: 1,
      ownUrl: 'http://127.0.0.1:1',
      keepMs: Math.max(keepMs, 600_000),
    },
    take: (records) => handler.take(records),
    drop: (partition) => index.dropPartition(partition, () => undefined),
    ...{ signal: stopping.signal, log: quiet },
  });
  const process = {
    ...{ index, handler, holding },
    async stop() {
      stopping.abort();
      await holding.done;
    },
  };
  started.push(process);
  return process;
}

const ready = ({ holding }: Process) => eventually(() => holding.isReady(), Boolean);

const ids = ({ index }: Process) =>
  index
    .nearest({ ...here, radiusMeters: 5_000, limit: 10, maxAgeMs: 30_000, nowMs: Date.now() })
    .map(({ driverId }) => driverId);

/** A driver this many meters north of `here`, more or less. */
const north = (driverId: string, meters: number, sequence: number, ageMs = 0): PackedPosition => [
  driverId,
  here.lat + meters / 111_195,
  here.lng,
  sequence,
  Date.now() - ageMs,
];

test('a new process rebuilds what is known from the log, then goes on with what comes', async () => {
  await send([
    [north('far', 2_000, 1), north('moving', 100, 1)],
    'not JSON',
    '{"v":2}',
    [['bad', 999, 0, 1, 1]],
  ]);
  // Another region's partition; the driver's newer position comes first.
  await send([[north('moving', 1_000, 3)], [north('moving', 50, 2)]], '832a13fffffffff');
  await send([[north('gone', 10, 1, 120_000), north('quiet', 20, 1, 40_000)]], '832a10fffffffff');

  const first = startProcess();
  expect(first.holding.isReady()).toBe(false);
  await ready(first);
  expect(ids(first)).toEqual(['moving', 'far']);
  expect(first.handler.counts).toMatchObject({ records: 7, malformed: 3, silent: 1, refused: 0 });
  expect(first.index.size).toBe(3);

  await send([[north('far', 500, 2)], [north('far', 500, 2)], [north('far', 3_000, 1)]]);
  await eventually(
    () => ids(first)[0],
    (nearest) => nearest === 'far',
  );
  await eventually(
    () => first.handler.counts.records,
    (records) => records === 10,
  );
  expect(ids(first)).toEqual(['far', 'moving']);

  // Nothing is handed over: it is killed as far as the second is concerned.
  const second = startProcess();
  await ready(second);
  expect(ids(second)).toEqual(ids(first));
  expect(second.index.size).toBe(first.index.size);
});

test('a new process knows where a driver was who has been silent for minutes, as the one before did', async () => {
  const keepMs = 15 * 60_000;
  const first = startProcess(topic, keepMs);
  await ready(first);
  const sentMs = Date.now() - 10 * 60_000;
  // As it lies in the log since then.
  await withProducer(async (plain) => {
    const value = JSON.stringify({ v: 1, positions: [north('silent', 700, 1, 10 * 60_000)] });
    await plain.send({ topic, messages: [{ key: 'region', value, timestamp: String(sentMs) }] });
  });
  const where = ({ index }: Process) => index.find('silent', Date.now())?.lat;
  const seen = await eventually(
    () => where(first),
    (lat) => lat !== undefined,
  );
  const second = startProcess(topic, keepMs);
  await ready(second);
  expect(where(second)).toBe(seen);
  expect(second.index.digest()).toBe(first.index.digest());
});

test('a clock that is ahead keeps nobody alive: nobody was anywhere later than it was sent', async () => {
  const process = startProcess();
  await ready(process);
  await send([[north('ahead', 1, 1, -3_600_000)]]);
  const [ahead] = await eventually(
    () =>
      process.index.nearest({
        ...here,
        radiusMeters: 5,
        limit: 1,
        maxAgeMs: 30_000,
        nowMs: Date.now() + 5_000,
      }),
    (found) => found.length === 1,
  );
  expect(ahead!.ageMs).toBeGreaterThanOrEqual(4_000);
});

test('an empty log is caught up with at once', async () => {
  const empty = unique('driver-positions');
  await createTopics(kafka, [{ topic: empty, partitions: 2 }]);
  const process = startProcess(empty);
  await ready(process);
  expect([0, 1, 2].map((partition) => process.holding.answersFor(partition))).toEqual([true, true, false]);
  await process.stop();
  await deleteTopics(kafka, [empty]);
});

describe('GET /internal/nearest', () => {
  let server: Listening;
  let finder: Finder;
  const regions = createRegions(100_000);
  let held = [0, 1];
  const answersFor = (partition: number): boolean => held.includes(partition);
  /** Another process, which answers for these partitions and knows these drivers. */
  let other: { partitions: number[]; drivers: unknown[] } = { partitions: [], drivers: [] };
  const others = {
    ask: (missing: Set<number>) => {
      for (const partition of other.partitions) missing.delete(partition);
      return Promise.resolve([other]);
    },
  } as unknown as Others;
  afterEach(() => {
    held = [0, 1];
    other = { partitions: [], drivers: [] };
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
  ] as const)(
    'tells dispatch of a %s ride who is on a shift in a car that serves it',
    async (product, ids) => {
      const location = createClient({ name: 'location', baseUrl: server.url, token: 't', deadlineMs: 2_000 });
      const nearby = createFindNearby(location);
      const found = await nearby({ lat: 40.6, lng: -73.9 }, { product, radiusMeters: 1_000, limit: 10 });
      expect(found.map(({ driverId }) => driverId)).toEqual(ids);
    },
  );

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
});
