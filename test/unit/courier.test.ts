import fc from 'fast-check';
import { checkDrops, EXACT_DROPS, MAX_DROPS, orderDrops, wayMeters } from '../../domain/courier';
import { DomainError } from '../../domain/errors';
import type { Point } from '../../domain/geo';

/** Places on a grid of some 100 m in New York: no two of them are one place. */
const places = (minDrops: number, maxDrops: number): fc.Arbitrary<Point[]> =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: 99_999 }), { minLength: minDrops + 1, maxLength: maxDrops + 1 })
    .map((cells) =>
      cells.map((cell) => ({
        lat: 40.5 + 0.001 * Math.floor(cell / 300),
        lng: -74.1 + 0.0013 * (cell % 300),
      })),
    );

const trip = (minDrops: number, maxDrops: number) =>
  places(minDrops, maxDrops).map(([pickup, ...drops]) => ({ pickup: pickup!, drops }));

const permutations = (points: readonly Point[]): Point[][] =>
  points.length === 0
    ? [[]]
    : points.flatMap((first) =>
        permutations(points.filter((point) => point !== first)).map((rest) => [first, ...rest]),
      );

const text = (points: readonly Point[]): string[] => points.map(({ lat, lng }) => `${lat},${lng}`).sort();

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

describe('the order of a courier’s drops', () => {
  test('is the shortest of all orders, for few drops', () => {
    fc.assert(
      fc.property(trip(0, 6), ({ pickup, drops }) => {
        const best = Math.min(...permutations(drops).map((order) => wayMeters(pickup, order)));
        expect(wayMeters(pickup, orderDrops(pickup, drops))).toBeCloseTo(best, 6);
      }),
      { numRuns: 60 },
    );
  });

  test('does not depend on the order given, as long as it is exact', () => {
    const shuffled = trip(EXACT_DROPS, EXACT_DROPS).chain(({ pickup, drops }) =>
      fc.record({
        pickup: fc.constant(pickup),
        drops: fc.constant(drops),
        other: fc.shuffledSubarray(drops, { minLength: drops.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ pickup, drops, other }) => {
        const [a, b] = [drops, other].map((given) => wayMeters(pickup, orderDrops(pickup, given)));
        expect(a).toBeCloseTo(b!, 6);
      }),
      { numRuns: 40 },
    );
  });

  test('is never longer than the order given, and has every drop once', () => {
    fc.assert(
      fc.property(trip(0, MAX_DROPS), ({ pickup, drops }) => {
        const order = orderDrops(pickup, drops);
        expect(wayMeters(pickup, order)).toBeLessThanOrEqual(wayMeters(pickup, drops) + 1e-6);
        expect(text(order)).toEqual(text(drops));
      }),
    );
  });

  test('of many drops cannot be made shorter by turning a part of it round', () => {
    fc.assert(
      fc.property(trip(EXACT_DROPS + 1, 16), ({ pickup, drops }) => {
        const order = orderDrops(pickup, drops);
        const length = wayMeters(pickup, order);
        for (let from = 0; from < order.length - 1; from += 1) {
          for (let to = from + 2; to <= order.length; to += 1) {
            const turned = [...order.slice(0, from), ...order.slice(from, to).reverse(), ...order.slice(to)];
            expect(wayMeters(pickup, turned)).toBeGreaterThan(length - 0.01);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('along a street is the street’s, however it was given', () => {
    const street = Array.from({ length: 12 }, (_, i) => ({ lat: 40.7 + 0.002 * i, lng: -74 }));
    const [pickup, ...drops] = street;
    const jumbled = [5, 2, 9, 0, 7, 1, 10, 3, 8, 4, 6].map((i) => drops[i]!);
    expect(orderDrops(pickup!, jumbled)).toEqual(drops);
  });
});

describe('drops that no courier makes', () => {
  const pickup = { lat: 40.73, lng: -73.99 };
  const drop = { lat: 40.74, lng: -73.98 };
  const other = { lat: 40.75, lng: -73.97 };

  test.each([
    ['a drop twice', [drop, other, drop]],
    ['a drop at the pickup', [drop, pickup]],
    ['a drop a step from another', [drop, { lat: drop.lat + 0.00005, lng: drop.lng }]],
  ])('%s: the way would come back to where it was', (_, drops) => {
    expect(codeOf(() => orderDrops(pickup, drops))).toBe('courier_cycle');
  });

  test('more than a courier carries', () => {
    const drops = Array.from({ length: MAX_DROPS + 1 }, (_, i) => ({ lat: 40.5 + 0.01 * i, lng: -73.9 }));
    expect(codeOf(() => checkDrops(pickup, drops.slice(1)))).toBe('none');
    expect(codeOf(() => checkDrops(pickup, drops))).toBe('too_many_drops');
  });
});
