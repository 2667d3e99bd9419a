import { acceptance, carsServing, radiusOfSearch, rankDrivers, type Candidate } from '../../domain/dispatch';
import { standardPolicies } from '../../domain/policies';

const answersAll = { accepted: 20, missed: 0 };
const answersNone = { accepted: 0, missed: 20 };
const isNew = { accepted: 0, missed: 0 };

const candidate = (driverId: string, straightMeters: number, history = isNew): Candidate => ({
  driverId,
  straightMeters,
  history,
});
const order = (...candidates: Candidate[]): string[] =>
  rankDrivers(candidates, 12).map(({ driverId }) => driverId);

describe('who is asked first', () => {
  test('the nearest, where all answer alike', () => {
    expect(order(candidate('far', 900), candidate('near', 300), candidate('middle', 600))).toEqual([
      'near',
      'middle',
      'far',
    ]);
  });

  test('of two equally near, who takes more of the offers', () => {
    expect(
      order(
        candidate('never', 500, answersNone),
        candidate('new', 500),
        candidate('always', 500, answersAll),
      ),
    ).toEqual(['always', 'new', 'never']);
  });

  test('who declines costs no more than the time of an offer: further away than that, they are still nearer', () => {
    // At noon 250 m on the road take about 86 s, 20 s more are 60 m.
    expect(order(candidate('always', 220, answersAll), candidate('never', 200, answersNone))[0]).toBe(
      'always',
    );
    expect(order(candidate('always', 300, answersAll), candidate('never', 200, answersNone))[0]).toBe(
      'never',
    );
  });

  test('is the same for the same drivers, in whatever order they are found', () => {
    expect(order(candidate('b', 500), candidate('a', 500))).toEqual(['a', 'b']);
  });

  test('an offer says how far the pickup is on the road, and how long that takes at this hour', () => {
    const [atNight] = rankDrivers([candidate('a', 1_000)], 5);
    const [atNoon] = rankDrivers([candidate('a', 1_000)], 12);
    expect(atNoon).toMatchObject({ pickupDistanceMeters: 1_273 });
    expect(atNoon!.etaSeconds / atNight!.etaSeconds).toBeCloseTo(1.082 / 0.701, 1);
  });
});

test('a new driver takes four of five offers, until it is known', () => {
  expect(acceptance(isNew)).toBe(0.8);
  expect(acceptance(answersAll)).toBeCloseTo(0.96, 2);
  expect(acceptance(answersNone)).toBeCloseTo(0.16, 2);
});

test('a larger car serves who asked for a smaller one, not the other way round', () => {
  expect(carsServing('standard')).toEqual(['standard', 'xl']);
  expect(carsServing('xl')).toEqual(['xl']);
});

test('each search looks twice as far, up to the most', () => {
  const policies = { ...standardPolicies, searchRadiusMeters: 1_000, maxSearchRadiusMeters: 5_000 };
  expect([0, 1, 2, 3, 50].map((search) => radiusOfSearch(search, policies))).toEqual([
    1_000, 2_000, 4_000, 5_000, 5_000,
  ]);
});
