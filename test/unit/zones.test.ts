import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Sieve, type Crossing } from '../../consumers/tracks/zones/sieve';
import { readZones } from '../../consumers/tracks/zones/zoneFile';
import { PositionWriter } from '../../contracts/positionWriter';
import { readPositionRecord, type DriverPosition } from '../../contracts/positionRecord';
import { DEGREE, distanceMeters, type Point } from '../../domain/geo';
import { isInPolygon } from '../../domain/polygon';
import { createZones, RIM_METERS, zonesAfter, type Zone } from '../../domain/zones';
import { projectRoot } from '../../platform/root';

const degrees = (from: number, to: number) =>
  fc.integer({ min: from * DEGREE, max: to * DEGREE }).map((units) => units / DEGREE);
const wrapped = (lng: number): number => (lng > 180 ? lng - 360 : lng < -180 ? lng + 360 : lng);
const near = ({ lat, lng }: Point) =>
  fc.record({
    lat: degrees(-0.4, 0.4).map((by) => Math.round((lat + by) * DEGREE) / DEGREE),
    lng: degrees(-0.4, 0.4).map((by) => Math.round(wrapped(lng + by) * DEGREE) / DEGREE),
  });

describe('zones', () => {
  test('at a place are those whose outline it lies in, also across the antimeridian', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom({ lat: 40.7, lng: -74 }, { lat: -16.9, lng: 179.95 }, { lat: 0, lng: 0 })
          .chain((centre) =>
            fc.record({
              rings: fc.array(fc.array(near(centre), { minLength: 3, maxLength: 7 }), { maxLength: 6 }),
              places: fc.array(near(centre), { minLength: 20, maxLength: 60 }),
            }),
          ),
        ({ rings, places }) => {
          const zones = rings.map((ring, n): Zone => ({ zoneId: `zone-${9 - n}`, ring }));
          const found = createZones(zones);
          for (const place of places)
            expect(found.at(Math.round(place.lat * DEGREE), Math.round(place.lng * DEGREE))).toEqual(
              zones
                .filter(({ ring }) => isInPolygon(ring, place))
                .map(({ zoneId }) => zoneId)
                .sort(),
            );
        },
      ),
      { numRuns: 300 },
    );
  });

  test('have a rim outside, also across the antimeridian', () => {
    const eastward = (from: number, to: number) => ((((to - from + 180) % 360) + 360) % 360) - 180;
    const scenario = fc
      .constantFrom({ lat: 40.7, lng: -74 }, { lat: -16.9, lng: 179.9995 }, { lat: 0, lng: 0 })
      .chain((centre) =>
        fc.record({
          ring: fc.array(near(centre), { minLength: 3, maxLength: 6 }),
          which: fc.nat(),
          north: fc.integer({ min: -9_000, max: 9_000 }),
          east: fc.integer({ min: -9_000, max: 9_000 }),
        }),
      );
    fc.assert(
      fc.property(scenario, ({ ring, which, north, east }) => {
        // So close to each other that the nearest of them says how far the outline is.
        const outline = ring.flatMap((corner, n) => {
          const next = ring[(n + 1) % ring.length]!;
          return Array.from({ length: 5_000 }, (_, i) => ({
            lat: corner.lat + (i / 5_000) * (next.lat - corner.lat),
            lng: wrapped(corner.lng + (i / 5_000) * eastward(corner.lng, next.lng)),
          }));
        });
        const side = outline[which % outline.length]!;
        const [lat, lng] = [
          Math.round(side.lat * DEGREE) + north,
          Math.round(wrapped(side.lng + east / DEGREE) * DEGREE),
        ];
        const place = { lat: lat / DEGREE, lng: lng / DEGREE };
        const meters = outline.reduce((least, one) => Math.min(least, distanceMeters(one, place)), Infinity);
        fc.pre(Math.abs(meters - RIM_METERS) > 1);
        const isRim = meters < RIM_METERS && !isInPolygon(ring, place);
        expect(createZones([{ zoneId: 'a', ring }]).rimsAt(lat, lng)).toEqual(isRim ? ['a'] : []);
      }),
      { numRuns: 50 },
    );
  });

  test('of the file that comes with the project hold the pickups that were made there', () => {
    const zones = readZones('data/zones.geojson');
    const pickups = readFileSync(join(projectRoot(), 'data', 'nyc-pickups-2014-04-base-B02512.csv'), 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').slice(1, 3).map(Number));
    const count = (zone: string, isNear: (lat: number, lng: number) => boolean) => {
      const there = pickups.filter(([lat, lng]) => isNear(lat!, lng!));
      const inside = there.filter(([lat, lng]) => zones.at(lat! * DEGREE, lng! * DEGREE).includes(zone));
      return { share: inside.length / there.length, inside: inside.length };
    };
    // Around the terminals, as far as the next blocks of houses.
    const jfk = count('jfk', (lat, lng) => lat > 40.635 && lat < 40.655 && lng > -73.8 && lng < -73.77);
    const lga = count('lga', (lat, lng) => lat > 40.769 && lat < 40.78 && lng > -73.888 && lng < -73.86);
    const ewr = count('ewr', (lat, lng) => lat > 40.686 && lat < 40.698 && lng > -74.184 && lng < -74.17);
    for (const { share, inside } of [jfk, lga, ewr]) {
      expect(share).toBeGreaterThan(0.97);
      expect(inside).toBeGreaterThan(200);
    }
    const times = { lat: 40.758, lng: -73.9855 };
    expect(zones.at(times.lat * DEGREE, times.lng * DEGREE)).toEqual([]);
  });

  test.each([
    ['no JSON', 'x', /ZONES_FILE takes a GeoJSON file of zones/],
    [
      'a ring that does not close',
      [
        [0, 0],
        [0, 1],
        [1, 1],
        [1, 0],
      ],
      /ends where it begins/,
    ],
    [
      'a zone as large as a country',
      [
        [0, 0],
        [0, 5],
        [5, 5],
        [0, 0],
      ],
      /within 2 degrees at most/,
    ],
    [
      'no place',
      [
        [0, 0],
        [0, 95],
        [5, 5],
        [0, 0],
      ],
      /too big|<=90/i,
    ],
  ])('are refused where the file has %s', (_what, ring, said) => {
    const file = join(mkdtempSync(join(tmpdir(), 'hailway-zones-')), 'zones.geojson');
    const feature = {
      ...{ type: 'Feature', id: 'a-zone', properties: { name: 'A zone', kind: 'event' } },
      geometry: { type: 'Polygon', coordinates: [ring] },
    };
    writeFileSync(
      file,
      typeof ring === 'string' ? ring : JSON.stringify({ type: 'FeatureCollection', features: [feature] }),
    );
    expect(() => readZones(file)).toThrow(said);
  });
});

describe('of positions in the log', () => {
  const nowMs = 1_795_366_800_000;
  const square = (zoneId: string, west: number): Zone => ({
    zoneId,
    ring: [
      ...[
        { lat: 40, lng: west },
        { lat: 40, lng: west + 0.2 },
      ],
      ...[
        { lat: 40.2, lng: west + 0.2 },
        { lat: 40.2, lng: west },
      ],
    ],
  });
  // Two that overlap, and one apart.
  const squares = [square('a', -74), square('b', -73.9), square('c', -70)];
  const zones = createZones(squares);
  const drivers = ['driver-1', '0190e4d2-1111-7111-8111-111111111111', 'a-driver-with-a-name-that-is-long'];
  const position = fc.record({
    driverId: fc.constantFrom(...drivers),
    lat: fc.constantFrom(40.1, 50),
    // Some of them 26 m outside of a zone, others 85 m.
    lng: fc.constantFrom(-73.95, -73.85, -73.75, -69.9, 20, -74.0003, -73.6997, -74.001, -69.7997),
  });

  const recordsOf = (positions: readonly DriverPosition[]) => {
    const writer = new PositionWriter(nowMs);
    for (const one of positions) writer.add(one);
    return readPositionRecord(writer.finish());
  };

  /** What becomes of crossings, as the database has it: newer ones count, and those that change something. */
  class Truth {
    readonly told: string[] = [];
    private readonly stays = new Map<string, { zones: readonly string[]; sequence: number }>();

    take({ driverId, sequence, ...there }: Crossing) {
      const stay = this.stays.get(driverId) ?? { zones: [], sequence: -1 };
      const zones = zonesAfter(stay.zones, there);
      if (sequence > stay.sequence && String(zones) !== String(stay.zones)) {
        this.told.push(`${driverId} ${sequence}: ${zones.join('+')}`);
        this.stays.set(driverId, { zones, sequence });
      }
      return this.stayOf(driverId);
    }

    stayOf = (driverId: string) => ({ driverId, zones: this.stays.get(driverId)?.zones ?? [] });
  }

  function told(sieve: Sieve, truth: Truth, positions: readonly DriverPosition[]): string[] {
    for (let start = 0; start < positions.length; start += 3) {
      const rows = recordsOf(positions.slice(start, start + 3));
      const crossings = [...sieve.crossings(rows, nowMs)];
      for (const crossing of crossings) sieve.note(truth.take(crossing));
    }
    return truth.told;
  }

  const inOrder = fc
    .array(position, { maxLength: 40, size: 'max' })
    .map((all) => all.map((one, n) => ({ ...one, sequence: n + 1, atMs: nowMs })));

  /** What all positions together say, by holding each against each zone: a square's sides here go north or east. */
  function expected(positions: readonly DriverPosition[]): string[] {
    const last = new Map<string, string[]>();
    return positions.flatMap(({ driverId, lat, lng, sequence }) => {
      const before = last.get(driverId) ?? [];
      const there = squares.filter(({ zoneId, ring }) => {
        const [west, east] = [ring[0]!.lng, ring[1]!.lng];
        const outside = distanceMeters({ lat, lng }, { lat, lng: Math.min(east, Math.max(west, lng)) });
        return lat === 40.1 && outside <= (before.includes(zoneId) ? 50 : 0);
      });
      const zonesThere = there.map(({ zoneId }) => zoneId);
      if (String(before) === String(zonesThere)) return [];
      last.set(driverId, zonesThere);
      return [`${driverId} ${sequence}: ${zonesThere.join('+')}`];
    });
  }

  test('who stands at a rim enters once, and leaves once when they drive on', () => {
    const at = (sequence: number, lng: number): DriverPosition => ({
      ...{ driverId: 'driver-1', lat: 40.1, lng, sequence, atMs: nowMs },
    });
    const noise = Array.from({ length: 30 }, (_, n) => at(n + 1, -74 + ((n % 7) - 3) / 10_000));
    const truth = new Truth();
    told(new Sieve(zones), truth, [
      ...noise,
      at(31, -74.0005),
      at(32, -74.0007),
      at(33, -74.0003),
      at(34, -73.9999),
    ]);
    // 0.0007 degrees are 60 m there. Whoever has left is in it again when they are inside.
    expect(truth.told).toEqual(['driver-1 4: a', 'driver-1 32: ', 'driver-1 34: a']);
  });

  test('each that changes where its driver is is found, and no other is told', () => {
    fc.assert(
      fc.property(inOrder, (positions) => {
        expect(told(new Sieve(zones), new Truth(), positions)).toEqual(expected(positions));
      }),
      { numRuns: 300 },
    );
  });

  test('late and doubled ones change nothing', () => {
    const disturbed = inOrder.chain((positions) =>
      fc
        .array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20 })
        .map((pairs) => ({ positions, pairs: positions.length === 0 ? [] : pairs })),
    );
    fc.assert(
      fc.property(disturbed, ({ positions, pairs }) => {
        // Each of these comes again, some time after it was said.
        const log = [...positions];
        for (const [which, delay] of pairs) {
          const again = positions[which % positions.length]!;
          const at = log.lastIndexOf(again) + 1;
          log.splice(at + (delay % (log.length - at + 1)), 0, again);
        }
        expect(told(new Sieve(zones), new Truth(), log)).toEqual(expected(positions));
      }),
      { numRuns: 300 },
    );
  });

  test('one that was overtaken on its way, and comes late for the first time, changes nothing', () => {
    const at = (sequence: number, lng: number) => ({
      ...{ driverId: 'driver-1', lat: 40.1, lng, sequence, atMs: nowMs },
    });
    const log = [at(1, -73.95), at(3, -73.95), at(2, 20), at(4, -73.95)];
    expect(told(new Sieve(zones), new Truth(), log)).toEqual(['driver-1 1: a']);
  });

  test('who begins anew, knowing who is in a zone, and reads some again, tells nothing twice', () => {
    fc.assert(
      fc.property(inOrder, fc.nat(), fc.nat(), (positions, read, back) => {
        const killedAt = read % (positions.length + 1);
        const truth = new Truth();
        told(new Sieve(zones), truth, positions.slice(0, killedAt));
        const sieve = new Sieve(zones);
        sieve.learn(drivers.map((driverId) => truth.stayOf(driverId)));
        told(sieve, truth, positions.slice(Math.max(0, killedAt - (back % 10))));
        expect(truth.told).toEqual(expected(positions));
      }),
      { numRuns: 300 },
    );
  });
});
