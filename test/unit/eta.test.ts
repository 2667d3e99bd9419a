import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  canHaveCome,
  createDriveSeconds,
  driveSeconds,
  newYorkHour,
  roadMeters,
  routeMeters,
} from '../../domain/eta';
import { errorOn, fitDurations, median, readDrivenTrips, split } from '../../tools/fit/durations';
import { durationTable, TRIPS_FILE } from '../../tools/fit/durationTable';
import { projectRoot } from '../../tools/stack/places';

const meters = fc.double({ min: 0, max: 200_000, noNaN: true });
const hour = fc.integer({ min: 0, max: 23 });

describe('the time that a drive takes', () => {
  test('is never shorter for a longer way, at any hour', () => {
    fc.assert(
      fc.property(meters, meters, hour, (a, b, at) => {
        const [near, far] = [Math.min(a, b), Math.max(a, b)];
        expect(driveSeconds(near, at)).toBeLessThanOrEqual(driveSeconds(far, at) + 1e-9);
      }),
    );
    expect(driveSeconds(0, 12)).toBe(0);
  });

  test('lies on the knots, and on lines of the logarithms between them', () => {
    const seconds = createDriveSeconds({
      knots: [
        [1_000, 100],
        [4_000, 400],
        [16_000, 800],
      ],
      hourFactors: new Array<number>(24).fill(2),
    });
    expect(
      [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000].map((way) => Math.round(seconds(way, 7))),
    ).toEqual([100, 200, 400, 800, 1_131, 1_600, 3_200]);
  });

  test('is never so short that a driver would not be believed, at any hour', () => {
    const from = { lat: 40.7, lng: -73.99 };
    const degrees = fc.double({ min: -0.5, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(degrees, degrees, hour, (north, east, at) => {
        const to = { lat: from.lat + north, lng: from.lng + east };
        expect(canHaveCome(from, to, driveSeconds(roadMeters(from, to), at))).toBe(true);
      }),
    );
  });

  test('is more than 28 s for a straight kilometer, and nothing for what a position errs', () => {
    const from = { lat: 40.7, lng: -73.99 };
    const north = (meters: number) => ({ ...from, lat: from.lat + meters / 111_195 });
    expect([27, 29].map((seconds) => canHaveCome(from, north(1_000), seconds))).toEqual([false, true]);
    expect([99, 101].map((meters) => canHaveCome(from, north(meters), 0))).toEqual([true, false]);
  });

  test('goes by the clock of New York, in winter and in summer', () => {
    expect(newYorkHour(Date.parse('2026-01-15T04:59:59Z'))).toBe(23);
    expect(newYorkHour(Date.parse('2026-01-15T05:00:00Z'))).toBe(0);
    expect(newYorkHour(Date.parse('2026-07-15T05:00:00Z'))).toBe(1);
  });

  test('a route is as long as its legs', () => {
    const [a, b, c] = [
      { lat: 40.7, lng: -74 },
      { lat: 40.75, lng: -73.95 },
      { lat: 40.72, lng: -73.9 },
    ] as const;
    expect(routeMeters([a, b, c])).toBeCloseTo(roadMeters(a, b) + roadMeters(b, c), 6);
    expect(routeMeters([a])).toBe(0);
  });
});

describe('the table of durations', () => {
  test('is what the trips make it: run tools/generate after a change', async () => {
    const compact = (text: string): string => text.replace(/[\s,]/g, '');
    const committed = readFileSync(join(projectRoot(), 'domain', 'durationTable.ts'), 'utf8');
    expect(compact(committed)).toBe(compact(await durationTable(projectRoot())));
  });

  test('is closer to trips it has not seen than one speed is, by a fifth at least', async () => {
    const { train, heldOut } = split(await readDrivenTrips(join(projectRoot(), TRIPS_FILE)));
    expect(heldOut).toHaveLength(1_269);
    const fitted = createDriveSeconds(fitDurations(train));
    const speed = median(train.map((trip) => trip.meters / trip.seconds));
    const byTable = errorOn(heldOut, (trip) => fitted(trip.meters, trip.hour)).medianAbsolutePercent;
    const bySpeed = errorOn(heldOut, (trip) => trip.meters / speed).medianAbsolutePercent;
    expect(byTable).toBeLessThan(0.8 * bySpeed);
  });
});
