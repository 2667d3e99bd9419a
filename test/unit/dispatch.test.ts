import fc from 'fast-check';
import {
  acceptance,
  carsServing,
  matchingLeftMs,
  radiusOfSearch,
  rankDrivers,
  reservationLeftMs,
  wayOfFinishing,
  type Candidate,
} from '../../domain/dispatch';
import { roadMeters, ROAD_FACTOR } from '../../domain/eta';
import { standardPolicies } from '../../domain/policies';

const answersAll = { accepted: 20, missed: 0 };
const answersNone = { accepted: 0, missed: 20 };
const isNew = { accepted: 0, missed: 0 };

const candidate = (driverId: string, straightMeters: number, history = isNew): Candidate => ({
  driverId,
  legsMeters: [straightMeters * ROAD_FACTOR],
  history,
  missedOfRide: 0,
});
const lostOfferSeconds = 20;
const order = (...candidates: Candidate[]): string[] =>
  rankDrivers(candidates, 12, lostOfferSeconds).map(({ driverId }) => driverId);

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

  test('a lost offer costs what its time to live is in driving', () => {
    const [always, never] = [candidate('always', 300, answersAll), candidate('never', 200, answersNone)];
    expect(rankDrivers([always, never], 12, 20)[0]).toMatchObject({ driverId: 'never' });
    expect(rankDrivers([always, never], 12, 90)[0]).toMatchObject({ driverId: 'always' });
  });

  test('nobody is asked again while somebody further away was not asked yet, however they answered before', () => {
    const driver = fc.record({
      meters: fc.integer({ min: 1, max: 12_000 }),
      accepted: fc.integer({ min: 0, max: 20 }),
      missed: fc.integer({ min: 0, max: 20 }),
    });
    const drivers = fc.array(driver, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(drivers, fc.integer({ min: 1, max: 5 }), (found, batchSize) => {
        let candidates = found.map(({ meters, ...history }, i) => candidate(`driver-${i}`, meters, history));
        for (let left = 3 * candidates.length; left > 0; left -= batchSize) {
          const ranked = rankDrivers(candidates, 12, lostOfferSeconds);
          const asked = new Set(ranked.slice(0, batchSize).map(({ driverId }) => driverId));
          const of = (isAsked: boolean) =>
            candidates
              .filter(({ driverId }) => asked.has(driverId) === isAsked)
              .map(({ missedOfRide }) => missedOfRide);
          expect(Math.max(...of(true))).toBeLessThanOrEqual(Math.min(...of(false)));
          // All of them sleep.
          candidates = candidates.map(({ missedOfRide, history, ...rest }) => {
            const lost = asked.has(rest.driverId) ? 1 : 0;
            const missed = history.missed + lost;
            return { ...rest, history: { ...history, missed }, missedOfRide: missedOfRide + lost };
          });
        }
      }),
    );
  });

  test('is the same for the same drivers, in whatever order they are found', () => {
    expect(order(candidate('b', 500), candidate('a', 500))).toEqual(['a', 'b']);
  });

  test('an offer says how far the pickup is on the road, and how long that takes at this hour', () => {
    const [atNight] = rankDrivers([candidate('a', 1_000)], 5, lostOfferSeconds);
    const [atNoon] = rankDrivers([candidate('a', 1_000)], 12, lostOfferSeconds);
    expect(atNoon).toMatchObject({ pickupDistanceMeters: 1_273 });
    expect(atNoon!.etaSeconds / atNight!.etaSeconds).toBeCloseTo(1.082 / 0.701, 1);
  });
});

describe('a driver about to finish', () => {
  const north = (meters: number) => ({ lat: 40.7 + meters / 111_195, lng: -73.95 });
  const present = { stops: [north(300), north(600)], stopsReached: 1, dropoff: north(900) };
  const pickup = north(1_500);
  const way = (withinSeconds: number, changes = {}) =>
    wayOfFinishing(
      { position: north(400), ageSeconds: 0, present: { ...present, ...changes }, pickup },
      12,
      withinSeconds,
    );

  test('comes by the stops that are left, and the dropoff', () => {
    expect(way(600)!.map(Math.round)).toEqual(
      [
        [400, 600],
        [600, 900],
        [900, 1_500],
      ].map(([from, to]) => Math.round(roadMeters(north(from!), north(to!)))),
    );
    expect(way(600, { stopsReached: 2 })).toHaveLength(2);
  });

  test('is not asked while too much is left of the present ride, however near the pickup', () => {
    // 500 m and a stop: about 220 s at noon.
    expect(way(250)).not.toBeNull();
    expect(way(200)).toBeNull();
  });

  test('has driven on since they were seen', () => {
    const seen = { position: north(400), present, pickup };
    const [toStop, toDropoff, toPickup] = wayOfFinishing({ ...seen, ageSeconds: 100 }, 12, 150)!;
    expect(toStop! / roadMeters(north(400), north(600))).toBeLessThan(0.6);
    expect(toDropoff).toBeLessThan(roadMeters(north(600), north(900)));
    expect(toPickup).toBe(roadMeters(north(900), pickup));
    expect(wayOfFinishing({ ...seen, ageSeconds: 1_000 }, 12, 150)).toEqual([0, 0, toPickup]);
  });

  test('goes before a free one who is further away by time', () => {
    const finishing = { driverId: 'finishing', legsMeters: way(600)!, history: isNew, missedOfRide: 0 };
    expect(order(candidate('free', 3_000), finishing)).toEqual(['finishing', 'free']);
    expect(order(candidate('free', 500), finishing)).toEqual(['free', 'finishing']);
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

describe('how long a search may last, to the millisecond', () => {
  const { matchingDeadlineMs, reservationMs } = standardPolicies;
  const matchingSince = '2026-03-02T08:00:00.000Z';
  const leftAfter = (ms: number, reservedMs = 0): number =>
    matchingLeftMs({ matchingSince, reservedMs, nowMs: Date.parse(matchingSince) + ms }, standardPolicies);

  test.each([
    ['one millisecond before its deadline it goes on', matchingDeadlineMs - 1, 1],
    ['at its deadline it is over', matchingDeadlineMs, 0],
    ['one millisecond later it is over, too', matchingDeadlineMs + 1, -1],
  ])('%s', (_, ms, left) => expect(leftAfter(ms)).toBe(left));

  test('what it waited for a reserved driver does not count', () => {
    expect(leftAfter(matchingDeadlineMs + 4_999, 5_000)).toBe(1);
    expect(leftAfter(matchingDeadlineMs + 5_000, 5_000)).toBe(0);
  });

  test.each([
    ['one millisecond before the reservation ends', reservationMs - 1, 1],
    ['when it ends', reservationMs, 0],
  ])('a reserved driver is waited for: %s', (_, ms, left) =>
    expect(reservationLeftMs({ reservedAtMs: 1_000, nowMs: 1_000 + ms }, standardPolicies)).toBe(left),
  );
});
