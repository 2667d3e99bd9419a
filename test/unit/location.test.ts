import fc from 'fast-check';
import { Cells } from '../../consumers/location/cells';
import { SeenCells } from '../../consumers/location/seenCells';
import { PositionStore, type NearestQuery, type PositionUpdate } from '../../consumers/location/store';
import { distanceMeters } from '../../domain/geo';

/** What the index must answer: look at everybody. */
function bruteForce(updates: readonly PositionUpdate[], query: NearestQuery) {
  const newest = new Map<string, PositionUpdate>();
  for (const update of updates) {
    const known = newest.get(update.driverId);
    if (known === undefined || update.sequence > known.sequence) newest.set(update.driverId, update);
  }
  return [...newest.values()]
    .filter((driver) => driver.atMs >= query.nowMs - query.maxAgeMs)
    .map(({ driverId, atMs, ...at }) => ({
      driverId,
      lat: at.lat,
      lng: at.lng,
      distanceMeters: distanceMeters(query, at),
      ageMs: query.nowMs - atMs,
    }))
    .filter((driver) => driver.distanceMeters <= query.radiusMeters)
    .sort((a, b) => a.distanceMeters - b.distanceMeters || (a.driverId < b.driverId ? -1 : 1))
    .slice(0, query.limit);
}

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
      return { lat, lng: ((((lng + 180) % 360) + 360) % 360) - 180 };
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
        })
        .map(({ driver, sequence, ageMs, at }) => ({
          driverId: `d${driver}`,
          sequence,
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
      })
      .map(({ at, ...rest }) => ({ ...at, ...rest, nowMs })),
    cellMeters: fc.constantFrom(50, 500, 5_000),
  }),
);

describe('nearest drivers', () => {
  test('are those that looking at every driver finds, anywhere in the world', () => {
    fc.assert(
      fc.property(scenario, ({ updates, query, cellMeters }) => {
        const store = new PositionStore({ cellMeters });
        for (const update of updates) store.apply(update);
        expect(store.nearest(query)).toEqual(bruteForce(updates, query));
      }),
      { numRuns: 600 },
    );
  });

  test('are found by the grid too when there are far more drivers than cells to look at', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.constantFrom(...centres), (seed, centre) => {
        const compare = (drivers: number, radiusMeters: number, limit: number) => {
          const updates = crowd(seed, centre, drivers);
          const store = new PositionStore();
          for (const update of updates) store.apply(update);
          const query = { ...centre, radiusMeters, limit, maxAgeMs: 60_000, nowMs };
          expect(store.nearest(query)).toEqual(bruteForce(updates, query));
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
function crowd(seed: number, centre: { lat: number; lng: number }, count: number): PositionUpdate[] {
  let state = seed;
  const random = () => (state = (Math.imul(state, 48_271) >>> 0) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: count }, (_, index) => {
    const lat = Math.max(-90, Math.min(90, centre.lat + (random() - 0.5) * 0.2));
    const width = Math.abs(centre.lat) > 89 ? 360 : 0.2 / Math.cos((centre.lat * Math.PI) / 180);
    const lng = ((((centre.lng + (random() - 0.5) * width + 180) % 360) + 360) % 360) - 180;
    return { driverId: `d${index}`, lat, lng, sequence: 1, atMs: nowMs };
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
  const nearestTo = (store: PositionStore, at: { lat: number; lng: number }) =>
    store
      .nearest({ ...at, radiusMeters: 1_000, limit: 10, maxAgeMs: 30_000, nowMs })
      .map((found) => found.driverId);

  test('late and doubled ones change nothing', () => {
    const store = new PositionStore();
    expect(store.apply(position('d1', here, 5))).toBe('added');
    expect(store.apply(position('d1', there, 5))).toBe('outdated');
    expect(store.apply(position('d1', there, 4))).toBe('outdated');
    expect(nearestTo(store, here)).toEqual(['d1']);
    expect(store.apply(position('d1', there, 6))).toBe('moved');
    expect(nearestTo(store, here)).toEqual([]);
    expect(nearestTo(store, there)).toEqual(['d1']);
  });

  test('of silent drivers are not answered, then forgotten, and their room is used again', () => {
    const store = new PositionStore({ maxDrivers: 2 });
    store.apply(position('silent', here, 1, 40_000));
    store.apply(position('talking', here, 1, 10_000));
    expect(nearestTo(store, here)).toEqual(['talking']);
    expect(store.apply(position('third', here, 1))).toBe('full');
    expect(store.sweep(nowMs - 30_000)).toBe(1);
    expect(store.size).toBe(1);
    expect(store.apply(position('third', here, 1))).toBe('added');
    expect(nearestTo(store, here)).toEqual(['talking', 'third']);
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
          const store = new PositionStore();
          const kept = new Map<string, PositionUpdate>();
          moves.forEach(({ driver, spot, sweepAgeMs, ageMs }, sequence) => {
            const update = position(`d${driver}`, { lat: spot / 100, lng: spot / 100 }, sequence, ageMs);
            store.apply(update);
            kept.set(update.driverId, update);
            if (sweepAgeMs === null) return;
            store.sweep(nowMs - sweepAgeMs);
            for (const [id, { atMs }] of kept) if (atMs < nowMs - sweepAgeMs) kept.delete(id);
          });
          expect(store.size).toBe(kept.size);
          const query = { lat: 0, lng: 0, radiusMeters: 20_000, limit: 1_000, maxAgeMs: 60_000, nowMs };
          expect(store.nearest(query)).toEqual(bruteForce([...kept.values()], query));
        },
      ),
      { numRuns: 30 },
    );
  });
});
