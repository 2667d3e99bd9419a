import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { topics } from '../../contracts/topics';
import { DEGREE, distanceMeters } from '../../domain/geo';
import { createRegions, keyOfRegion } from '../../domain/regions';
import { partitionFor } from '../../platform/kafka';
import { spread } from '../../platform/kafka/copies';
import { projectRoot } from '../../platform/root';

const degrees = (most: number) =>
  fc.integer({ min: -most * DEGREE, max: most * DEGREE }).map((units) => units / DEGREE);
const anywhere = fc.record({ lat: degrees(90), lng: degrees(180) });

test('a circle touches the region of whoever stands in it, anywhere in the world', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(2_000, 5_000, 100_000),
      fc.oneof(
        anywhere,
        fc.constantFrom({ lat: 90, lng: 3 }, { lat: -17, lng: 180 }, { lat: -89.9, lng: -180 }),
      ),
      fc.integer({ min: 0, max: 50_000 }),
      fc.integer({ min: 0, max: 359 }),
      (regionMeters, centre, meters, bearing) => {
        const regions = createRegions(regionMeters);
        const at = moved(centre, meters, (bearing * Math.PI) / 180);
        const radius = distanceMeters(centre, at);
        const [own] = regions.touching(at, 0);
        expect(regions.touching(centre, radius)).toContain(own);
        expect(regions.toldOf(at)).toContain(own);
      },
    ),
    { numRuns: 2_000 },
  );
});

/** A point so many meters from another, by the spherical law of sines. */
function moved(from: { lat: number; lng: number }, meters: number, bearing: number) {
  const angle = meters / 6_371_008.8;
  const lat = (from.lat * Math.PI) / 180;
  const to = Math.asin(Math.sin(lat) * Math.cos(angle) + Math.cos(lat) * Math.sin(angle) * Math.cos(bearing));
  const east = Math.atan2(
    Math.sin(bearing) * Math.sin(angle) * Math.cos(lat),
    Math.cos(angle) - Math.sin(lat) * Math.sin(to),
  );
  const lng = from.lng + (east * 180) / Math.PI;
  return { lat: (to * 180) / Math.PI, lng: ((((lng + 180) % 360) + 360) % 360) - 180 };
}

describe('a city where everybody is', () => {
  const { partitions } = topics.find(({ name }) => name === 'driver-positions')!;
  const pickups = readFileSync(join(projectRoot(), 'data', 'nyc-pickups-2014-04-02.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number))
    .map(([, lat, lng]) => ({ lat: lat!, lng: lng! }));

  /** Positions that are told, and those of them that the busiest partition has, for each position of a driver. */
  function toldAt(regionMeters: number): { told: number; busiest: number } {
    const regions = createRegions(regionMeters);
    const perPartition = new Array<number>(partitions).fill(0);
    for (const at of pickups)
      for (const region of regions.toldOf(at))
        perPartition[partitionFor(keyOfRegion(region), partitions)]! += 1;
    const told = perPartition.reduce((sum, each) => sum + each, 0);
    return { told: told / pickups.length, busiest: Math.max(...perPartition) / pickups.length };
  }

  test('is one partition’s with regions as they are unless told', () => {
    const { told, busiest } = toldAt(100_000);
    expect(told).toBeLessThan(1.01);
    expect(busiest).toBeGreaterThan(0.99);
  });

  test('is shared by the partitions, so that processes share it, with smaller regions', () => {
    const { told, busiest } = toldAt(2_000);
    expect(told).toBeLessThan(1.5);
    expect(busiest).toBeLessThan(0.4);
  });
});

describe('partitions held in copies', () => {
  const members = (count: number): Map<string, string> =>
    new Map(Array.from({ length: count }, (_, n) => [`m${n}`, `http://10.0.0.${n}:8082`]));
  const partitions = Array.from({ length: 12 }, (_, n) => n);

  test('each has as many holders as asked, all different, and nobody much more than his share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 }), (count, copies) => {
        const shares = spread(partitions, members(count), copies);
        const each = Math.min(copies, count);
        for (const partition of partitions)
          expect([...shares.values()].filter((share) => share.includes(partition))).toHaveLength(each);
        for (const share of shares.values()) {
          expect(new Set(share).size).toBe(share.length);
          expect(share.length).toBeLessThanOrEqual(Math.ceil((partitions.length * each) / count) + each);
        }
      }),
    );
  });

  test('when one of three goes, each partition stays with somebody who held it', () => {
    const before = spread(partitions, members(3), 2);
    const left = members(3);
    left.delete('m1');
    const after = spread(partitions, left, 2);
    for (const partition of partitions)
      expect(
        [...left.keys()].some((m) => before.get(m)!.includes(partition) && after.get(m)!.includes(partition)),
      ).toBe(true);
  });
});
