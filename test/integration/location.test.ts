import { createPositionsHandler, type PositionsHandler } from '../../consumers/location/handler';
import { startHolding, type Holding } from '../../consumers/location/holding';
import { PositionIndex } from '../../consumers/location/positionIndex';
import type { PackedPosition } from '../../contracts/positions';
import { createFactProducer, createTopics, type FactProducer } from '../../platform/kafka';
import { deleteTopics, eventually, quiet, testKafka, unique } from '../support/backbone';

const kafka = testKafka();
const topic = unique('driver-positions');
const FRESH_MS = 60_000;
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
  /** The records that came, and whether their partition was answered for by then, up to what is fresh and up to any age. */
  readonly taken: { readonly offset: number; readonly answers: boolean; readonly answersForAll: boolean }[];
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
function startProcess(
  of = topic,
  keepMs = 60_000,
  { group = unique('location'), onTaken = (_records: number): void => {} } = {},
): Process {
  const index = new PositionIndex();
  const handler = createPositionsHandler({ index, keepMs, now: Date.now });
  const stopping = new AbortController();
  const taken: Process['taken'] = [];
  const holding: Holding = startHolding({
    ...{
      kafka,
      group,
      topic: of,
      copies: 1,
      ownUrl: 'http://127.0.0.1:1',
      freshMs: FRESH_MS,
      keepMs: Math.max(keepMs, 600_000),
    },
    take(records) {
      for (const { offset, partition } of records)
        taken.push({
          ...{ offset, answers: holding.answersFor(partition, FRESH_MS) },
          answersForAll: holding.answersFor(partition, Infinity),
        });
      handler.take(records);
      onTaken(taken.length);
    },
    drop: (partition) => index.dropPartition(partition, () => undefined),
    ...{ signal: stopping.signal, log: quiet },
  });
  const process = {
    ...{ index, handler, holding, taken },
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

describe('what was told some minutes ago', () => {
  const [log, shared] = [unique('driver-positions'), unique('driver-positions')];
  /** As they lie in a partition since then. */
  const tell = (of: string, partition: number, minutesAgo: readonly number[]) =>
    withProducer(async (plain) => {
      for (const minutes of minutesAgo) {
        const timestamp = String(Date.now() - minutes * 60_000);
        const position = north(`silent-${partition}-${minutes}`, 700, 1, minutes * 60_000);
        const value = JSON.stringify({ v: 1, positions: [position] });
        await plain.send({ topic: of, messages: [{ key: 'region', value, timestamp, partition }] });
      }
    });
  beforeAll(async () => {
    await createTopics(kafka, [
      { topic: log, partitions: 1 },
      { topic: shared, partitions: 2 },
    ]);
    await tell(log, 0, [20, 10, 5, 0]);
    for (const partition of [0, 1]) await tell(shared, partition, [10, 5, 0]);
  });
  afterAll(() => deleteTopics(kafka, [log, shared]));

  test('a new process reads behind what is fresh, for which it answers meanwhile', async () => {
    const process = startProcess(log, 15 * 60_000);
    await eventually(() => process.holding.answersFor(0, Infinity), Boolean);
    expect(process.taken).toEqual([
      { offset: 3, answers: false, answersForAll: false },
      { offset: 1, answers: true, answersForAll: false },
      { offset: 2, answers: true, answersForAll: false },
    ]);
    expect(process.index.size).toBe(3);
    expect(process.index.find('silent-0-10', Date.now())).toMatchObject({ sequence: 1 });
  });

  test('a process that is stopped leaves off reading it', async () => {
    let stopped: Promise<void> | undefined;
    const process = startProcess(log, 15 * 60_000, {
      onTaken: (records) => {
        if (records === 2) stopped = process.stop();
      },
    });
    await eventually(() => stopped !== undefined, Boolean);
    await stopped;
    expect(process.taken.map(({ offset }) => offset)).toEqual([3, 1]);
    expect(process.holding.answersFor(0, Infinity)).toBe(false);
  });

  test('where another joins while one reads it, each has all of its share in the end, and no more', async () => {
    const group = unique('location');
    const processes: Process[] = [];
    const first = startProcess(shared, 15 * 60_000, {
      group,
      // What is older begins.
      onTaken(records) {
        if (records === 3) processes.push(startProcess(shared, 15 * 60_000, { group }));
      },
    });
    processes.push(first);
    const shares = () =>
      processes.map(({ holding }) => [0, 1].filter((partition) => holding.answersFor(partition, Infinity)));
    await eventually(shares, (all) => all.map((share) => share.length).join() === '1,1');
    for (const { index, holding } of processes) {
      const partition = holding.answersFor(0, Infinity) ? 0 : 1;
      const known = [10, 5, 0].map((minutes) => index.find(`silent-${partition}-${minutes}`, Date.now()));
      expect(known).not.toContain(null);
      expect(index.size).toBe(3);
    }
    expect(new Set(shares().flat())).toEqual(new Set([0, 1]));
  });
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
  expect([0, 1, 2].map((partition) => process.holding.answersFor(partition, Infinity))).toEqual([
    ...[true, true, false],
  ]);
  await process.stop();
  await deleteTopics(kafka, [empty]);
});
