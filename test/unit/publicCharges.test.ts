import fc from 'fast-check';
import { upfrontFare } from '../../domain/fare';
import { isIn, isSwapped } from '../../domain/newYork';
import { withPublicCharges } from '../../domain/publicCharges';

/** Places that everybody can look up. */
const places = {
  unionSquare: { lat: 40.7359, lng: -73.9911 },
  battery: { lat: 40.7033, lng: -74.017 },
  rooseveltIsland: { lat: 40.7615, lng: -73.95 },
  upperEast92nd: { lat: 40.7829, lng: -73.951 },
  lexington100th: { lat: 40.788, lng: -73.948 },
  harlem: { lat: 40.8116, lng: -73.9465 },
  longIslandCity: { lat: 40.7475, lng: -73.953 },
  dumbo: { lat: 40.7033, lng: -73.9885 },
  williamsburg: { lat: 40.7143, lng: -73.961 },
  jfk: { lat: 40.6413, lng: -73.7781 },
  laGuardia: { lat: 40.7769, lng: -73.874 },
  riverdale: { lat: 40.9, lng: -73.906 },
  farRockaway: { lat: 40.605, lng: -73.755 },
  coneyIsland: { lat: 40.5755, lng: -73.9707 },
  bayRidge: { lat: 40.6262, lng: -74.0329 },
  stGeorge: { lat: 40.6437, lng: -74.0736 },
  tottenville: { lat: 40.512, lng: -74.251 },
  hoboken: { lat: 40.744, lng: -74.0324 },
  jerseyCity: { lat: 40.7178, lng: -74.0431 },
  newark: { lat: 40.6895, lng: -74.1745 },
  bayonne: { lat: 40.6687, lng: -74.1143 },
  yonkers: { lat: 40.9312, lng: -73.8988 },
  greatNeck: { lat: 40.8007, lng: -73.7285 },
};
type Place = keyof typeof places;
const within = (area: Parameters<typeof isIn>[0]): Place[] =>
  (Object.keys(places) as Place[]).filter((place) => isIn(area, places[place]));

describe('where a place is', () => {
  test('Manhattan south of 96th Street', () => {
    expect(within('manhattanSouthOf96th')).toEqual([
      'unionSquare',
      'battery',
      'rooseveltIsland',
      'upperEast92nd',
    ]);
  });
  test('Staten Island', () => {
    expect(within('statenIsland')).toEqual(['stGeorge', 'tottenville']);
  });
  test('the city', () => {
    const outside: Place[] = ['hoboken', 'jerseyCity', 'newark', 'bayonne', 'yonkers', 'greatNeck'];
    expect(within('city')).toEqual(
      (Object.keys(places) as Place[]).filter((place) => !outside.includes(place)),
    );
  });
  test('whose coordinates were swapped, and whose may be as they stand', () => {
    const { jfk, newark } = places;
    expect([jfk, newark, { lat: -33.87, lng: 151.21 }].map(isSwapped)).toEqual([false, false, false]);
    expect([jfk, newark].map(({ lat, lng }) => isSwapped({ lat: lng, lng: lat }))).toEqual([true, false]);
  });
});

const fare = { currency: 'USD', totalMinor: 1_000, lines: [{ kind: 'base', amountMinor: 1_000 }] } as const;
const charged = (product: 'standard' | 'courier', ...way: Place[]): Record<string, number> =>
  Object.fromEntries(
    withPublicCharges(
      fare,
      product,
      way.map((place) => places[place]),
    ).lines.map(({ kind, name, amountMinor }) => [name ?? kind, amountMinor]),
  );

const fund = "Black Car Operators' Injury Compensation Fund surcharge";
const salesTax = 'New York State and local sales tax';

describe('what comes on top of the fare', () => {
  test('in the city: the Fund of the fare, sales tax of both', () => {
    expect(charged('standard', 'harlem', 'jfk')).toEqual({ base: 1_000, [fund]: 25, [salesTax]: 91 });
  });

  test.each<[string, Place[]]>([
    ['begins', ['unionSquare', 'jfk']],
    ['stops', ['harlem', 'battery', 'jfk']],
    ['ends', ['laGuardia', 'upperEast92nd']],
  ])('the congestion surcharge once where the ride %s in the zone, and no tax of it', (_, way) => {
    expect(charged('standard', ...way)).toEqual({
      base: 1_000,
      [fund]: 25,
      [salesTax]: 91,
      'Congestion surcharge': 275,
    });
  });

  test('into Staten Island the crossing charge, and taxes of it; out of it none', () => {
    expect(charged('standard', 'bayRidge', 'stGeorge')).toEqual({
      base: 1_000,
      'Verrazzano-Narrows Bridge crossing charge': 1_224,
      [fund]: 56,
      [salesTax]: 202,
    });
    expect(Object.keys(charged('standard', 'stGeorge', 'bayRidge'))).toEqual(['base', fund, salesTax]);
    expect(Object.keys(charged('standard', 'stGeorge', 'tottenville'))).toEqual(['base', fund, salesTax]);
    expect(charged('standard', 'bayRidge', 'stGeorge', 'bayRidge', 'tottenville')).toMatchObject({
      'Verrazzano-Narrows Bridge crossing charge': 2_448,
    });
  });

  test('for parcels the crossing charge alone: the taxes are on the transport of persons', () => {
    expect(charged('courier', 'unionSquare', 'stGeorge')).toEqual({
      base: 1_000,
      'Verrazzano-Narrows Bridge crossing charge': 1_224,
    });
  });

  test('nothing where the ride leaves the city', () => {
    expect(charged('standard', 'unionSquare', 'newark')).toEqual({ base: 1_000 });
    expect(charged('standard', 'yonkers', 'unionSquare')).toEqual({ base: 1_000 });
  });

  test('whole cents that sum to the total, and never less than the fare', () => {
    const way = fc.array(fc.constantFrom(...(Object.keys(places) as Place[])), {
      minLength: 2,
      maxLength: 6,
    });
    const trip = fc.record({
      product: fc.constantFrom('standard' as const, 'xl' as const, 'courier' as const),
      distanceMeters: fc.integer({ min: 0, max: 150_000 }),
      durationSeconds: fc.integer({ min: 0, max: 20_000 }),
      stops: fc.integer({ min: 0, max: 25 }),
      surge: fc.double({ min: 1, max: 5, noNaN: true }),
    });
    fc.assert(
      fc.property(trip, way, (asked, names) => {
        const before = upfrontFare(asked);
        const { lines, totalMinor } = withPublicCharges(
          before,
          asked.product,
          names.map((name) => places[name]),
        );
        expect(lines.every(({ amountMinor }) => Number.isInteger(amountMinor))).toBe(true);
        expect(lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(totalMinor);
        expect(totalMinor).toBeGreaterThanOrEqual(before.totalMinor);
      }),
    );
  });
});
