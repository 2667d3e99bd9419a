import { startHolding, type Holding } from '../../consumers/location/holding';
import type { RawRecord } from '../../platform/kafka';
import { eventually, quiet } from '../support/backbone';

/** What a holding asks of Kafka, answered when and as the test says; with the real one see test/integration/location. */
interface Asked {
  endOffsets: jest.Mock;
  readTopicRaw: jest.Mock;
  runConsumer: jest.Mock;
}
const mockAsked: Asked = { endOffsets: jest.fn(), readTopicRaw: jest.fn(), runConsumer: jest.fn() };
const [KEPT, FRESH, END] = [10, 50, 60];
jest.mock('../../platform/kafka', () => ({
  ...jest.requireActual<object>('../../platform/kafka'),
  offsetsSince: (_kafka: unknown, _topic: string, ms: number) => {
    const since = Date.now() - ms > 60_000 ? KEPT : FRESH;
    return Promise.resolve({ 0: since, 1: since });
  },
  endOffsets: () => mockAsked.endOffsets() as unknown,
  readTopicRaw: (options: object) => mockAsked.readTopicRaw(options) as unknown,
  runConsumer: (options: object) => mockAsked.runConsumer(options) as unknown,
}));

interface Consumer {
  onAssigned(shares: Record<string, number[]>): void;
  onBatch(batch: object): Promise<void>;
}
interface Reading {
  readonly signal: AbortSignal;
  readonly rangeOf: (partition: number) => { from: number; to: number } | undefined;
  readonly onRecord: (record: RawRecord) => Promise<void>;
  readonly end: (failure?: Error) => void;
}

const record = (partition: number, offset: number) => ({ partition, offset }) as RawRecord;
let stopping: AbortController;
let holding: Holding;
let consumer: Consumer;
let readings: Reading[];
let taken: string[];

beforeEach(async () => {
  [stopping, readings, taken] = [new AbortController(), [], []];
  mockAsked.endOffsets.mockReset().mockResolvedValue({ 0: END, 1: END });
  mockAsked.runConsumer.mockImplementation((options: Consumer & { signal: AbortSignal }) => {
    consumer = options;
    return new Promise<void>((resolve) => options.signal.addEventListener('abort', () => resolve()));
  });
  mockAsked.readTopicRaw.mockImplementation(
    (options: Omit<Reading, 'end'>) =>
      new Promise<number>((resolve, reject) => {
        options.signal.addEventListener('abort', () => reject(new Error('left off')));
        const end = (failure?: Error) => (failure ? reject(failure) : resolve(1));
        readings.push({ ...options, end });
      }),
  );
  mockAsked.runConsumer.mockClear();
  holding = startHolding({
    ...{ kafka: {} as never, group: 'location', topic: 'positions', copies: 1, ownUrl: 'http://127.0.0.1:1' },
    ...{ freshMs: 60_000, keepMs: 900_000, signal: stopping.signal, log: quiet },
    take: (records) => void taken.push(...records.map(({ partition, offset }) => `${partition}:${offset}`)),
    drop: (partition) => void taken.push(`drop ${partition}`),
  });
  await eventually(() => mockAsked.runConsumer.mock.calls.length === 1, Boolean);
});
afterEach(async () => {
  stopping.abort();
  await holding.done;
});

const share = (...partitions: number[]) => consumer.onAssigned({ positions: partitions });
const takeFresh = (partition: number, offset = END - 1, endOffset = 200) =>
  consumer.onBatch({
    ...{ partition, records: [record(partition, offset)], endOffset },
    commit: () => Promise.resolve(),
  });
const nextReading = (count: number) =>
  eventually(
    () => readings[count - 1],
    (reading) => reading !== undefined,
  );
const answers = (maxAgeMs: number) => [0, 1].map((partition) => holding.answersFor(partition, maxAgeMs));

test('reads what is older once all that is fresh has been read, partition by partition', async () => {
  share(0, 1);
  await takeFresh(0);
  await takeFresh(1, END - 2);
  await eventually(() => holding.answersFor(0, 60_000), Boolean);
  expect([holding.isReady(), readings.length]).toEqual([false, 0]);
  await takeFresh(1);
  expect([holding.isReady(), ...answers(60_000), ...answers(Infinity)]).toEqual([
    ...[true, true, true],
    ...[false, false],
  ]);
  const first = (await nextReading(1))!;
  expect([first.rangeOf(0), first.rangeOf(1)]).toEqual([{ from: KEPT, to: FRESH }, undefined]);
  first.end();
  const second = (await nextReading(2))!;
  expect(answers(Infinity)).toEqual([true, false]);
  expect([second.rangeOf(0), second.rangeOf(1)]).toEqual([undefined, { from: KEPT, to: FRESH }]);
  second.end();
  await eventually(() => holding.answersFor(1, Infinity), Boolean);
});

test('leaves off where something fresh comes, and goes on from there afterwards', async () => {
  share(0);
  await takeFresh(0);
  const first = (await nextReading(1))!;
  await first.onRecord(record(0, 20));
  share(0, 1);
  expect(first.signal.aborted).toBe(true);
  await eventually(() => mockAsked.endOffsets.mock.calls.length === 2, Boolean);
  expect([holding.isReady(), readings.length]).toEqual([false, 1]);
  await takeFresh(1);
  expect((await nextReading(2))!.rangeOf(0)).toEqual({ from: 21, to: FRESH });
});

test('leaves off what goes, and reads all of it where it comes back', async () => {
  share(0, 1);
  await takeFresh(0);
  await takeFresh(1);
  const first = (await nextReading(1))!;
  await first.onRecord(record(0, 20));
  share(1);
  expect([first.signal.aborted, taken.at(-1)]).toEqual([true, 'drop 0']);
  const second = (await nextReading(2))!;
  expect([second.rangeOf(0), second.rangeOf(1)]).toEqual([undefined, { from: KEPT, to: FRESH }]);
  second.end();
  await eventually(() => holding.answersFor(1, Infinity), Boolean);
  share(0, 1);
  await takeFresh(0);
  expect((await nextReading(3))!.rangeOf(0)).toEqual({ from: KEPT, to: FRESH });
  expect(answers(Infinity)).toEqual([false, true]);
});

test('begins where what was still to be read first goes', async () => {
  share(0, 1);
  await takeFresh(0);
  await eventually(() => holding.answersFor(0, 60_000), Boolean);
  expect(readings).toEqual([]);
  share(0);
  expect((await nextReading(1))!.rangeOf(0)).toEqual({ from: KEPT, to: FRESH });
});

test('goes on from where it was after a failure', async () => {
  share(0);
  await takeFresh(0);
  const first = (await nextReading(1))!;
  await first.onRecord(record(0, 30));
  first.end(new Error('Kafka is away'));
  expect((await nextReading(2))!.rangeOf(0)).toEqual({ from: 31, to: FRESH });
  expect(answers(Infinity)).toEqual([false, false]);
});

test('what comes back is answered for once all is read that its log had then, not when it was there before', async () => {
  const [early, late] = [END, END + 40];
  const answer: ((ends: object) => void)[] = [];
  mockAsked.endOffsets.mockImplementation(() => new Promise((resolve) => answer.push(resolve)));
  share(0);
  share();
  share(0);
  answer[0]!({ 0: early });
  await takeFresh(0, early - 1);
  expect(holding.answersFor(0, 60_000)).toBe(false);
  answer[1]!({ 0: late });
  await takeFresh(0, late - 2);
  expect(holding.answersFor(0, 60_000)).toBe(false);
  await takeFresh(0, late - 1);
  await eventually(() => holding.answersFor(0, 60_000), Boolean);
});

test('goes on answering where its log was made anew, and what comes has lower offsets', async () => {
  share(0);
  await takeFresh(0);
  await eventually(() => holding.isReady(), Boolean);
  await takeFresh(0, 4, 5);
  expect([holding.isReady(), answers(60_000)]).toEqual([true, [true, false]]);
});

test('a process that stops leaves off', async () => {
  share(0);
  await takeFresh(0);
  const first = (await nextReading(1))!;
  stopping.abort();
  await holding.done;
  expect([first.signal.aborted, readings.length]).toEqual([true, 1]);
});
