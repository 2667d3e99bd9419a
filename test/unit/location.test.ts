import fc from 'fast-check';
import { byArrivalAt, type Cost } from '../../consumers/location/search';
import { Takes } from '../../contracts/positionRecord';
import { Cells } from '../../domain/cells';
import { DEGREE } from '../../domain/geo';
import { isInPolygon } from '../../domain/polygon';
import { bruteForce, crowd, idOf, newestOf, nowMs, told, whole } from '../support/positionIndexes';

/** Around a centre within some 30 km, so that queries meet drivers; the centres are where grids break. */
const centres = [
  { lat: 40.75, lng: -73.98 },
  { lat: -17.8, lng: 180 },
  { lat: 65.9, lng: -179.99 },
  { lat: 89.95, lng: 12 },
  { lat: -90, lng: 0 },
  { lat: 0, lng: 0 },
];

/** Numbers spread evenly; fast-check's doubles are for the most part next to nothing. */
const evenly = (min: number, max: number) =>
  fc.integer({ min: 0, max: 1_000_000 }).map((n) => min + (n / 1_000_000) * (max - min));

const near = (centre: { lat: number; lng: number }) =>
  fc
    .record({
      north: evenly(-0.3, 0.3),
      east: evenly(-1, 1),
      // Many at the very same points: ties.
      snap: fc.boolean(),
    })
    .map(({ north, east, snap }) => {
      const round = (value: number) => (snap ? Math.round(value * 50) / 50 : value);
      const lat = Math.max(-90, Math.min(90, centre.lat + round(north)));
      const width = Math.abs(centre.lat) > 89 ? 180 : 0.3 / Math.cos((centre.lat * Math.PI) / 180);
      const lng = centre.lng + round(east) * width;
      return { lat: whole(lat), lng: whole(((((lng + 180) % 360) + 360) % 360) - 180) };
    });

const scenario = fc.constantFrom(...centres).chain((centre) =>
  fc.record({
    updates: fc.array(
      fc
        .record({
          driver: fc.integer({ min: 0, max: 60 }),
          sequence: fc.integer({ min: 0, max: 20 }),
          ageMs: fc.integer({ min: 0, max: 60_000 }),
          at: near(centre),
          takes: fc.constantFrom(Takes.everything, Takes.standard, Takes.xl | Takes.available, 0),
        })
        .map(({ driver, sequence, ageMs, at, takes }) => ({
          driverId: idOf(driver),
          sequence,
          takes,
          atMs: nowMs - ageMs,
          ...at,
        })),
      { maxLength: 200 },
    ),
    query: fc
      .record({
        at: near(centre),
        radiusMeters: fc.oneof(
          fc.integer({ min: 0, max: 40_000 }),
          fc.constantFrom(1, 500, 1_000_000, 21_000_000),
        ),
        limit: fc.integer({ min: 1, max: 30 }),
        maxAgeMs: fc.integer({ min: 0, max: 60_000 }),
        takes: fc.constantFrom(0, Takes.available, Takes.xl | Takes.available),
      })
      .map(({ at, ...rest }) => ({ ...at, ...rest, nowMs })),
    cellMeters: fc.constantFrom(50, 500, 5_000),
  }),
);

/** Near to some places it takes longer to a driver than their distance says. */
const uneven: Cost = {
  of: (meters, from) => meters * (1 + Math.abs(Math.sin(from.lat * 500) + Math.cos(from.lng * 300))) + 3,
  least: (meters) => meters,
  reach: (cost) => cost,
};

describe('nearest drivers', () => {
  test('are those that looking at every driver finds, anywhere in the world', () => {
    fc.assert(
      fc.property(scenario, ({ updates, query, cellMeters }) => {
        const index = told(updates, { cellMeters });
        expect(index.nearest(query)).toEqual(bruteForce(updates, query));
        for (const cost of [uneven, byArrivalAt(query)])
          expect(index.cheapest(query, cost)).toEqual(bruteForce(updates, query, cost));
      }),
      { numRuns: 600 },
    );
  });

  test('are found by the grid too when there are far more drivers than cells to look at', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.constantFrom(...centres), (seed, centre) => {
        const compare = (drivers: number, radiusMeters: number, limit: number) => {
          const updates = crowd(seed, centre, drivers);
          const index = told(updates);
          const query = { ...centre, radiusMeters, limit, maxAgeMs: 60_000, nowMs };
          expect(index.nearest(query)).toEqual(bruteForce(updates, query));
          for (const cost of [uneven, byArrivalAt(query)])
            expect(index.cheapest(query, cost)).toEqual(bruteForce(updates, query, cost));
        };
        for (const radiusMeters of [300, 3_000, 30_000]) compare(3_000, radiusMeters, 10);
        // Many cells in few buckets, all looked at: some share one.
        compare(600, 4_000, 1_000);
        // Across the pole, for the centre that is near one.
        compare(3_000, 8_000, 3_000);
      }),
      { numRuns: 8 },
    );
  });

  test('are found among thousands who stand at one point', () => {
    // More chunks than are read together, and more found than are named together.
    const updates = crowd(1, centres[0]!, 6_000).map((update) => ({ ...update, ...centres[0]! }));
    const query = { ...centres[0]!, radiusMeters: 1_000, limit: 200, maxAgeMs: 60_000, nowMs };
    expect(told(updates).nearest(query)).toEqual(bruteForce(updates, query));
  });
});

test('drivers in a polygon are those whom its rule finds, also across the antimeridian', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...centres.slice(0, 3), { lat: 0, lng: 0 }).chain((centre) =>
        fc.record({
          ring: fc.array(near(centre), { minLength: 3, maxLength: 8 }),
          updates: fc.array(
            fc.record({
              driverId: fc.nat(2_000).map(idOf),
              sequence: fc.nat(5),
              ageMs: fc.constantFrom(0, 90_000),
              at: near(centre),
            }),
            { maxLength: 300, size: 'max' },
          ),
          cellMeters: fc.constantFrom(500, 5_000, 50_000),
        }),
      ),
      ({ ring, updates, cellMeters }) => {
        const positions = updates.map(({ at, ageMs, ...rest }) => ({ ...rest, ...at, atMs: nowMs - ageMs }));
        const index = told(positions, { cellMeters });
        const inside = newestOf(positions)
          .filter((driver) => driver.atMs === nowMs && isInPolygon(ring, driver))
          .map(({ driverId }) => driverId);
        const found = index.within(ring, { nowMs, maxAgeMs: 60_000, limit: Infinity });
        expect(found.map(({ driverId }) => driverId)).toEqual(inside.sort());
        expect(index.within(ring, { nowMs, maxAgeMs: 60_000, limit: 2 })).toHaveLength(
          Math.min(2, inside.length),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('a circle touches each cell once, also where rows of cells close around a pole', () => {
  const cells = new Cells(500);
  fc.assert(
    fc.property(
      fc.constantFrom(-90, -89.99, -89.97, 0, 89.96, 89.98),
      evenly(-180, 180),
      fc.integer({ min: 1, max: 8_000 }),
      (lat, lng, radius) => {
        const visited: string[] = [];
        const box = cells.boxOf({ lat, lng }, radius);
        cells.eachIn(box, (row, column) => visited.push(`${row}/${column}`));
        expect(new Set(visited).size).toBe(visited.length);
        expect(cells.countIn(box, Infinity)).toBe(visited.length);
      },
    ),
    { numRuns: 300 },
  );
});

test('a part of the map touches the cells of its rim, each once, also past the antimeridian and all around', () => {
  const units = (degrees: number): number => Math.round(degrees * DEGREE);
  const eastOf = (lng: number, degrees: number): number =>
    units(lng + degrees > 180 ? lng + degrees - 360 : lng + degrees);
  fc.assert(
    fc.property(
      fc.constantFrom(10, 50, 2_000),
      fc.constantFrom(-90, -17.8, 0, 40.75, 89.98),
      fc.oneof(fc.constantFrom(-180, 0, 179.999, 180), evenly(-180, 180)),
      evenly(0, 0.02),
      fc.oneof(fc.constantFrom(0, 360), evenly(0, 0.02)),
      (cellMeters, south, west, height, widthDegrees) => {
        // All around in fine cells would be millions.
        const cells = new Cells(widthDegrees === 360 ? 20_000 : cellMeters);
        // Ends where a cell does, so that rounding decides whose its rim is.
        const rowDegrees = 180 / cells.rows;
        const north = Math.min(90, -90 + rowDegrees * Math.ceil((south + height + 90) / rowDegrees));
        const visited: string[] = [];
        const box = cells.boxFrom({ lat: south, lng: west }, north, widthDegrees);
        cells.eachIn(box, (row, column) => visited.push(`${row}/${column}`));
        expect(new Set(visited).size).toBe(visited.length);
        for (const lat of [south, (south + north) / 2, north])
          for (const east of [0, widthDegrees / 3, widthDegrees]) {
            const row = cells.rowOf(units(lat));
            expect(visited).toContain(`${row}/${cells.columnOf(row, eastOf(west, east))}`);
          }
      },
    ),
    { numRuns: 300 },
  );
});
