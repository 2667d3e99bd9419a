import { createFinder, FRESH_MS } from '../../consumers/location/finder';
import { createPositionsHandler } from '../../consumers/location/handler';
import type { Others } from '../../consumers/location/others';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { PositionWriter } from '../../contracts/positionWriter';
import { createRegions } from '../../domain/regions';
import { DependencyUnavailable } from '../../platform/errors';

/** A process that has read what is fresh, a minute, and not yet what is older. */

const nowMs = 100_000_000;
const at = { lat: 40.75, lng: -73.98 };

/** @param known what another process says of a driver whom it knows; null where there is no other */
function processBeside(known: { ageMs: number; sequence: number } | null) {
  const index = new PositionIndex();
  const handler = createPositionsHandler({ index, keepMs: 900_000, now: () => nowMs });
  const writer = new PositionWriter(nowMs);
  writer.add({ ...at, driverId: 'here', sequence: 7, atMs: nowMs - 5_000 });
  writer.add({ ...at, driverId: 'moved', sequence: 3, atMs: nowMs - 50_000 });
  handler.take([{ partition: 0, timestamp: nowMs, value: Buffer.from(writer.finish()) }]);
  const asked: { path: string; query?: object }[] = [];
  const others = {
    ask: (missing: Set<number>, call: { path: string; query?: object }) => {
      if (missing.size === 0 || known === null) return Promise.resolve([]);
      asked.push({ path: call.path, ...(call.query && { query: call.query }) });
      missing.clear();
      return Promise.resolve([{ partitions: [0, 1], position: { ...at, ...known } }]);
    },
  } as unknown as Others;
  const finder = createFinder({
    ...{ index, others, regions: createRegions(100_000), now: () => nowMs },
    holding: { partitions: 2, answersFor: (_partition, maxAgeMs) => maxAgeMs <= FRESH_MS },
  });
  return { finder, asked };
}

test('answers by itself for what is fresh', async () => {
  const { finder, asked } = processBeside({ ageMs: 1, sequence: 9 });
  expect(await finder.find('here', FRESH_MS)).toMatchObject({ ageMs: 5_000, sequence: 7 });
  expect(await finder.find('silent', FRESH_MS)).toBeNull();
  expect(await finder.find('moved', 40_000)).toBeNull();
  const query = { ...at, radiusMeters: 500, limit: 5, maxAgeMs: FRESH_MS };
  expect((await finder.nearest(query)).map(({ driverId }) => driverId)).toEqual(['here', 'moved']);
  expect(finder.findHere('here', FRESH_MS).partitions).toEqual([0, 1]);
  expect(asked).toEqual([]);
});

test('asks another for what is older, and believes the newer', async () => {
  const { finder, asked } = processBeside({ ageMs: 600_000, sequence: 5 });
  expect(await finder.find('silent', Infinity)).toMatchObject({ ageMs: 600_000 });
  expect(await finder.find('silent', 300_000)).toMatchObject({ ageMs: 600_000 });
  const path = '/internal/here/drivers/silent/position';
  expect(asked).toEqual([{ path }, { path, query: { maxAgeMs: 300_000 } }]);
  expect(finder.findHere('here', Infinity).partitions).toEqual([]);
});

test('says that it cannot answer for what is older where nobody else can, but where a driver was just now', async () => {
  const { finder } = processBeside(null);
  expect(await finder.find('here', Infinity)).toMatchObject({ ageMs: 5_000, sequence: 7 });
  const ring = [
    [-74, 40.7],
    [-73.9, 40.7],
    [-73.9, 40.8],
    [-74, 40.8],
    [-74, 40.7],
  ] as [number, number][];
  const polygon = { type: 'Polygon' as const, coordinates: [ring] as [typeof ring] };
  const within = (maxAgeSeconds: number) => finder.within({ polygon, limit: 10, maxAgeSeconds });
  await expect(finder.find('silent', Infinity)).rejects.toThrow(DependencyUnavailable);
  await expect(within(61)).rejects.toThrow(DependencyUnavailable);
  expect((await within(60)).drivers).toHaveLength(2);
});
