import fc from 'fast-check';
import { partitionsOf } from '../../consumers/location/finder';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { readPositionRecord, Takes, type DriverPosition } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import type { Point } from '../../domain/geo';
import { createRegions } from '../../domain/regions';
import { bruteForce, crowd, idOf, nowMs, tell, told } from '../support/positionIndexes';

describe('positions', () => {
  const here = { lat: 40.75, lng: -73.98 };
  const there = { lat: 40.8, lng: -73.9 };
  const position = (driverId: string, at: { lat: number; lng: number }, sequence: number, ageMs = 0) => ({
    driverId,
    ...at,
    sequence,
    atMs: nowMs - ageMs,
  });
  const nearestTo = (index: PositionIndex, at: { lat: number; lng: number }) =>
    index
      .nearest({ ...at, radiusMeters: 1_000, limit: 10, maxAgeMs: 30_000, nowMs })
      .map((found) => found.driverId);

  test('late and doubled ones change nothing', () => {
    const index = new PositionIndex();
    const say = (at: { lat: number; lng: number }, sequence: number) =>
      tell(index, [position('d1', at, sequence)]);
    expect(say(here, 5)).toMatchObject({ applied: 1, outdated: 0 });
    expect(say(there, 5)).toMatchObject({ applied: 0, outdated: 1 });
    expect(say(there, 4)).toMatchObject({ applied: 0, outdated: 1 });
    expect(nearestTo(index, here)).toEqual(['d1']);
    expect(say(there, 6)).toMatchObject({ applied: 1, outdated: 0 });
    expect(nearestTo(index, here)).toEqual([]);
    expect(nearestTo(index, there)).toEqual(['d1']);
    // The higher word decides first, and the lower one has no sign.
    expect(say(here, 2 ** 32)).toMatchObject({ applied: 1 });
    expect(say(there, 2 ** 31)).toMatchObject({ outdated: 1 });
    expect(say(there, 2 ** 32 + 2 ** 31)).toMatchObject({ applied: 1 });
    expect(say(here, 2 ** 32 + 1)).toMatchObject({ outdated: 1 });
    expect(index.find('d1', nowMs)).toMatchObject({ ...there, sequence: 2 ** 32 + 2 ** 31 });
    expect(index.find('d2', nowMs)).toBeNull();
  });

  test('of a gateway whose clock is ahead grow old from when they were sent', () => {
    const aheadMs = nowMs + 3_600_000;
    const writer = new PositionWriter(aheadMs);
    writer.add({ ...position('d1', here, 1), atMs: aheadMs });
    const index = new PositionIndex();
    const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
    index.apply(readPositionRecord(writer.finish()), { partition: 0, sentMs: nowMs, oldestMs: 0 }, counts);
    expect(index.find('d1', nowMs + 5_000)).toMatchObject({ ageMs: 5_000 });
  });

  test('of silent drivers are not answered, then forgotten, and their room is used again', () => {
    const index = told([position('silent', here, 1, 40_000), position('talking', here, 1, 10_000)], {
      maxDrivers: 2,
    });
    expect(nearestTo(index, here)).toEqual(['talking']);
    expect(tell(index, [position('third', here, 1)])).toMatchObject({ refused: 1 });
    expect(index.sweep(nowMs - 30_000, 10)).toBe(1);
    expect(index.size).toBe(1);
    expect(tell(index, [position('third', here, 1)])).toMatchObject({ applied: 1 });
    expect(nearestTo(index, here)).toEqual(['talking', 'third']);
  });

  test('a sweep looks at so many at once, and comes round', () => {
    const index = told(crowd(7, here, 1_000).map((update, n) => ({ ...update, atMs: nowMs - n * 100 })));
    expect(index.sweep(nowMs - 50_000, 600)).toBeLessThan(499);
    index.sweep(nowMs - 50_000, 600);
    expect(index.size).toBe(501);
  });

  test('of a partition that has gone are forgotten, but not those that came from another since', () => {
    const index = new PositionIndex();
    tell(index, [position('stays', here, 1), position('moves', here, 1), position('goes', here, 1)], 3);
    tell(index, [position('moves', there, 2)], 5);
    tell(index, [position('stays', there, 2)], 3);
    index.dropPartition(3, () => undefined);
    expect(nearestTo(index, there)).toEqual(['moves']);
    expect(index.size).toBe(1);
  });

  test('of a partition that has gone stay where another that is held was told them as well', () => {
    const regions = createRegions(10_000);
    const partitions = 64;
    const places = Array.from({ length: 200 }, (_, n) => ({ lat: 40.75, lng: -73.98 + n / 1_000 }));
    const told = (at: Point) => partitionsOf(at, regions, partitions);
    const atRim = places.find((at) => new Set(told(at)).size > 1)!;
    const [from, other] = told(atRim) as [number, number];
    const inside = places.find((at) => told(at).every((partition) => partition === from))!;
    const index = new PositionIndex();
    tell(index, [position('rim', atRim, 2 ** 33 + 7), position('inside', inside, 1)], from);
    tell(index, [position('rim', atRim, 2 ** 33 + 7)], other);
    index.dropPartition(from, (at) => told(at).find((partition) => partition === other));
    expect(index.size).toBe(1);
    expect(index.find('rim', nowMs)).toMatchObject({ ...atRim, sequence: 2 ** 33 + 7 });
    index.dropPartition(other, () => undefined);
    expect(index.size).toBe(0);
  });

  test('any order of moves, silences and sweeps leaves the index as if it were new', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            driver: fc.integer({ min: 0, max: 400 }),
            spot: fc.integer({ min: 0, max: 9 }),
            sweepAgeMs: fc.option(fc.integer({ min: 0, max: 10_000 }), { freq: 20 }),
            ageMs: fc.integer({ min: 0, max: 10_000 }),
          }),
          { maxLength: 2_000, size: 'max' },
        ),
        (moves) => {
          const index = new PositionIndex();
          const kept = new Map<string, DriverPosition>();
          moves.forEach(({ driver, spot, sweepAgeMs, ageMs }, sequence) => {
            const update = position(idOf(driver), { lat: spot / 100, lng: spot / 100 }, sequence, ageMs);
            tell(index, [update]);
            kept.set(update.driverId, update);
            if (sweepAgeMs === null) return;
            index.sweep(nowMs - sweepAgeMs, 1_000);
            for (const [id, { atMs }] of kept) if (atMs < nowMs - sweepAgeMs) kept.delete(id);
          });
          expect(index.size).toBe(kept.size);
          const query = { lat: 0, lng: 0, radiusMeters: 20_000, limit: 1_000, maxAgeMs: 60_000, nowMs };
          const all = [...kept.values()];
          expect(index.nearest(query)).toEqual(bruteForce(all, query));
          // The same by the cells: the wide one looks at everybody.
          for (let spot = 0; spot < 10; spot++) {
            const near = { ...query, lat: spot / 100, lng: spot / 100, radiusMeters: 300 };
            expect(index.nearest(near)).toEqual(bruteForce(all, near));
          }
          expect(index.digest()).toBe(told(all.reverse()).digest());
        },
      ),
      { numRuns: 30 },
    );
  });

  test('of drivers who are on their way take no more room than before', () => {
    const index = new PositionIndex();
    const round = (sequence: number): number => {
      for (let spot = 0; spot < 50; spot++)
        tell(
          index,
          Array.from({ length: 100 }, (_, n) =>
            position(idOf(n), { lat: spot / 10, lng: sequence / 1e6 }, sequence * 100 + spot),
          ),
        );
      return index.bytes;
    };
    const before = [1, 2].map(round).at(-1);
    expect([3, 4, 5].map(round)).toEqual([before, before, before]);
  });

  test('of many lie in finer cells, of few in coarser ones', () => {
    const spread = told(crowd(1, here, 3_000), { cellMeters: 500 });
    expect(spread.cellMeters).toBeGreaterThan(500);
    const crowded = told(
      crowd(1, here, 3_000).map((update, n) => ({ ...update, ...here, lng: here.lng + n / 1e6 })),
    );
    expect(crowded.cellMeters).toBeLessThan(500);
    const fine = crowded.cellMeters;
    tell(
      crowded,
      crowd(2, here, 3_000).map((update) => ({ ...update, sequence: 2 })),
    );
    crowded.sweep(0, 1);
    expect(crowded.cellMeters).toBeGreaterThan(fine);
  });

  test('have another digest where anything that lasts is another', () => {
    const first = { ...position('d1', here, 7), takes: Takes.standard };
    const others = [
      ...[{ driverId: 'd2' }, { lat: there.lat }, { lng: there.lng }, { sequence: 7 + 2 ** 32 }],
      ...[{ takes: Takes.xl }, { atMs: nowMs - 1 }],
    ];
    const digests = [first, ...others.map((other) => ({ ...first, ...other }))].map((one) =>
      told([one]).digest(),
    );
    expect(new Set(digests).size).toBe(digests.length);
    // Who is on a ride is the location service’s to know, each process by itself.
    expect(told([{ ...first, takes: Takes.standard | Takes.free }]).digest()).toBe(digests[0]);
  });
});
