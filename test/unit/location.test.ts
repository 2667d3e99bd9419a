import fc from 'fast-check';
import { Cells } from '../../domain/cells';
import { SeenCells } from '../../consumers/location/seenCells';
import type { Applied } from '../../consumers/location/intake';
import { PositionIndex, type IndexOptions } from '../../consumers/location/positionIndex';
import { byArrivalAt, type Cost, type NearestQuery } from '../../consumers/location/search';
import { readPositionRecord, Takes, type DriverPosition } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { distanceMeters, type Point } from '../../domain/geo';
import { isInPolygon } from '../../domain/polygon';

/** What the index must answer: look at everybody. */
function bruteForce(updates: readonly DriverPosition[], query: NearestQuery, cost?: Cost) {
  const costOf = ({ distanceMeters: meters, lat, lng }: Point & { distanceMeters: number }): number =>
    cost ? cost.of(meters, { lat, lng }) : meters;
  return newestOf(updates)
    .filter(({ atMs }) => atMs >= query.nowMs - query.maxAgeMs)
    .filter(({ takes = Takes.everything }) => (takes & (query.takes ?? 0)) === (query.takes ?? 0))
    .map(({ driverId, atMs, lat, lng, sequence }) => ({
      ...{ driverId, lat, lng, sequence },
      distanceMeters: distanceMeters(query, { lat, lng }),
      ageMs: query.nowMs - atMs,
    }))
    .filter((driver) => driver.distanceMeters <= query.radiusMeters)
    .map((driver) => ({ driver, cost: costOf(driver) }))
    .sort((a, b) => a.cost - b.cost || (a.driver.driverId < b.driver.driverId ? -1 : 1))
    .slice(0, query.limit)
    .map(({ driver }) => driver);
}

function newestOf(updates: readonly DriverPosition[]): DriverPosition[] {
  const newest = new Map<string, DriverPosition>();
  for (const update of updates) {
    const known = newest.get(update.driverId);
    if (known === undefined || update.sequence > known.sequence) newest.set(update.driverId, update);
  }
  return [...newest.values()];
}

/** An index that is told positions, each in a record of its own or all in one. */
function told(updates: readonly DriverPosition[], options?: IndexOptions) {
  const index = new PositionIndex(options);
  tell(index, updates);
  return index;
}

function tell(index: PositionIndex, updates: readonly DriverPosition[], partition = 0): Applied {
  const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
  if (updates.length === 0) return counts;
  const writer = new PositionWriter(nowMs);
  for (const update of updates) writer.add(update);
  const source = { partition, sentMs: nowMs, oldestMs: 0 };
  index.apply(readPositionRecord(writer.finish()), source, counts);
  return counts;
}

/** As records have it: whole 1e-7 degrees. */
const whole = (degrees: number): number => Math.round(degrees * 1e7) / 1e7;

const nowMs = 1_400_000_000_000;

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

/** Of all forms that ids have. */
const idOf = (driver: number): string =>
  driver % 3 === 0
    ? `d${driver}`
    : driver % 3 === 1
      ? `01a200c0-97cd-72ad-986e-2cd93ba3${String(driver).padStart(4, '0')}`
      : `driver-with-a-long-name-${driver}`;

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
    const updates = crowd(1, centres[0]!, 2_000).map((update) => ({ ...update, ...centres[0]! }));
    const query = { ...centres[0]!, radiusMeters: 1_000, limit: 10, maxAgeMs: 60_000, nowMs };
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
        expect(index.within(ring, { nowMs, maxAgeMs: 60_000 })).toEqual(inside.sort());
      },
    ),
    { numRuns: 150 },
  );
});

test('a growing search looks at each cell once, also where rows of cells close around a pole', () => {
  const cells = new Cells(500);
  fc.assert(
    fc.property(
      fc.constantFrom(-90, -89.99, -89.97, 0, 89.96, 89.98),
      evenly(-180, 180),
      fc.array(fc.integer({ min: 1, max: 8_000 }), { minLength: 1, maxLength: 6 }),
      (lat, lng, radii) => {
        const seen = new SeenCells(cells, { lat, lng });
        const visited: string[] = [];
        for (const radius of radii.sort((a, b) => a - b)) {
          seen.widenTo(radius, (row, column) => visited.push(`${row}/${column}`));
        }
        expect(new Set(visited).size).toBe(visited.length);
      },
    ),
    { numRuns: 300 },
  );
});

/** Drivers spread over a few kilometres around a centre, on both sides of whatever line goes through it. */
function crowd(seed: number, centre: { lat: number; lng: number }, count: number): DriverPosition[] {
  let state = seed;
  const random = () => (state = (Math.imul(state, 48_271) >>> 0) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: count }, (_, index) => {
    const lat = Math.max(-90, Math.min(90, centre.lat + (random() - 0.5) * 0.2));
    const width = Math.abs(centre.lat) > 89 ? 360 : 0.2 / Math.cos((centre.lat * Math.PI) / 180);
    const lng = ((((centre.lng + (random() - 0.5) * width + 180) % 360) + 360) % 360) - 180;
    return { driverId: idOf(index), lat: whole(lat), lng: whole(lng), sequence: 1, atMs: nowMs };
  });
}

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
    index.dropPartition(3);
    expect(nearestTo(index, there)).toEqual(['moves']);
    expect(index.size).toBe(1);
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
          expect(index.digest()).toBe(told(all.reverse()).digest());
        },
      ),
      { numRuns: 30 },
    );
  });
});
