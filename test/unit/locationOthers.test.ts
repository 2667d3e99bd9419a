import { z } from 'zod';
import { createFinder } from '../../consumers/location/finder';
import { createOthers, type Others } from '../../consumers/location/others';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { readPositionRecord, row, sequenceOf, HEADER_WORDS, ROW_WORDS } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { DEGREE } from '../../domain/geo';
import { createRegions } from '../../domain/regions';
import type { CopyHolder } from '../../platform/kafka';

const topic = 'driver-positions';
const nowMs = 1_400_000_000_000;

describe('a process that asks the others', () => {
  /** Kafka's answers, which come when a test says so. */
  let described: ((holders: CopyHolder[] | null) => void)[];
  /** By URL what each other process does when it is asked: it says for which partitions it answers. */
  let processes: Record<string, () => Promise<number[]>>;
  let clock: number;
  let others: Others;

  beforeEach(() => {
    [described, processes, clock] = [[], {}, 0];
    others = createOthers({
      ...{ topic, ownUrl: 'own', now: () => clock },
      holders: () => new Promise((resolve) => described.push(resolve)),
      clientOf: (url) => ({
        call: async (_method, _path, { response }) => response.parse({ partitions: await processes[url]!() }),
      }),
    });
  });

  const holder = (says: string, ...partitions: number[]): CopyHolder => ({
    says,
    assigned: { [topic]: partitions },
  });

  /** What is still missing of these when all there are have been asked. */
  async function missingOf(...partitions: number[]): Promise<number[]> {
    const missing = new Set(partitions);
    await others.ask(missing, { path: '/held', response: z.object({ partitions: z.array(z.number()) }) });
    return [...missing];
  }

  test('has Kafka asked once for all who wait, and answers from what is known while Kafka is silent', async () => {
    processes['a'] = () => Promise.resolve([0, 1]);
    const asked = [missingOf(0), missingOf(1), missingOf(0, 1)];
    expect(described).toHaveLength(1);
    described[0]!([holder('own', 2), holder('a', 0, 1)]);
    expect(await Promise.all(asked)).toEqual([[], [], []]);

    clock += 60_000;
    expect(await Promise.all([missingOf(0), missingOf(1)])).toEqual([[], []]);
    expect(await missingOf(0)).toEqual([]);
    expect(described).toHaveLength(2);
  });

  test('asks whom Kafka names by then for what nobody that it knew of answers for', async () => {
    processes['gone'] = () => Promise.reject(new Error('gone'));
    processes['a'] = () => Promise.resolve([0]);
    const before = missingOf(0);
    described[0]!([holder('gone', 0)]);
    expect(await before).toEqual([0]);

    clock += 60_000;
    const asked = missingOf(0);
    described[1]!([holder('a', 0)]);
    expect(await asked).toEqual([]);
  });

  test('goes on when the one who would be next leaves while another is asked', async () => {
    processes['a'] = () => Promise.resolve([0, 1]);
    processes['leaves'] = () => Promise.reject(new Error('gone'));
    processes['comes'] = () => Promise.resolve([2]);
    const before = missingOf(0);
    described[0]!([holder('a', 0, 1), holder('leaves', 2)]);
    expect(await before).toEqual([]);

    clock += 60_000;
    processes['a'] = async () => {
      described[1]!([holder('a', 0, 1), holder('comes', 2)]);
      await new Promise(setImmediate);
      return [0, 1];
    };
    expect(await missingOf(0, 1, 2)).toEqual([]);
  });

  test('does not ask itself', async () => {
    processes['own'] = () => Promise.resolve([0]);
    const asked = missingOf(0);
    described[0]!([holder('own', 0)]);
    expect(await asked).toEqual([0]);
  });

  test('waits no longer than it can for a Kafka that has never answered', async () => {
    expect(await missingOf(0)).toEqual([0]);
  });
});

test('of a driver whom several processes know, a map gets the newest, and each driver once', async () => {
  const recordOf = (drivers: [driverId: string, lat: number, sequence: number][]): Uint8Array => {
    const writer = new PositionWriter(nowMs);
    for (const [driverId, lat, sequence] of drivers)
      writer.add({ driverId, lat, lng: 0, sequence, atMs: nowMs });
    return writer.finish();
  };
  const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
  const index = new PositionIndex();
  const own = readPositionRecord(
    recordOf([
      ['both', 1, 9],
      ['here', 2, 1],
    ]),
  );
  index.apply(own, { partition: 0, sentMs: nowMs, oldestMs: 0 }, counts);
  const told = [recordOf([['both', 3, 8]]), recordOf([['a-driver-with-a-long-name', 4, 5]])];
  const answers = [...told.map((record) => Buffer.from(record).toString('base64')), null];
  const finder = createFinder({
    ...{ index, regions: createRegions(100_000), now: () => nowMs },
    holding: { partitions: 2, answersFor: () => false },
    others: { ask: () => Promise.resolve(answers.map((record) => ({ partitions: [], record }))) } as never,
  });
  const box = { south: 0, west: -1, north: 10, east: 1, maxAgeMs: 1_000 };
  const { words, count } = readPositionRecord(
    Buffer.from((await finder.fleet({ ...box, limit: 10 }))!, 'base64'),
  );
  const rows = Array.from({ length: count }, (_, n) => HEADER_WORDS + n * ROW_WORDS);
  expect(rows.map((at) => [words[at + row.lat]! / DEGREE, sequenceOf(words, at)]).sort()).toEqual([
    [1, 9],
    [2, 1],
    [4, 5],
  ]);
  const some = readPositionRecord(Buffer.from((await finder.fleet({ ...box, limit: 2 }))!, 'base64'));
  expect(some.count).toBe(2);
});
