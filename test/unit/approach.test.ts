import fc from 'fast-check';
import { approachLegs, approachSeconds, leastSeconds, mostMeters } from '../../domain/approach';
import { durationTable } from '../../domain/durationTable';
import { roadMeters } from '../../domain/eta';
import { distanceMeters } from '../../domain/geo';

const midtown = { lat: 40.76, lng: -73.998 };
const weehawken = { lat: 40.769, lng: -74.02 };
const harlem = { lat: 40.81, lng: -73.95 };
const brooklyn = { lat: 40.69, lng: -73.97 };
const newDorp = { lat: 40.573, lng: -74.117 };
const sum = (legs: readonly number[]): number => legs.reduce((total, leg) => total + leg, 0);

describe('a car’s way to a pickup', () => {
  test('is straight where no water lies between that it cannot cross anywhere', () => {
    const downtown = { lat: 40.71, lng: -74.005 };
    expect(approachLegs(midtown, downtown)).toEqual([roadMeters(midtown, downtown)]);
    expect(approachLegs(brooklyn, { lat: 40.75, lng: -73.87 })).toHaveLength(1);
    const paris = { lat: 48.857, lng: 2.352 };
    expect(approachLegs(paris, { ...paris, lat: 48.9 })).toHaveLength(1);
  });

  test('takes the bridge, tunnel or avenue that makes it shortest, there as back', () => {
    // By the Lincoln Tunnel.
    const tunnel = { lat: 40.7632, lng: -74.01 };
    expect(approachLegs(weehawken, midtown)).toEqual([
      roadMeters(weehawken, tunnel),
      roadMeters(tunnel, midtown),
    ]);
    expect(approachLegs(midtown, weehawken)).toEqual(approachLegs(weehawken, midtown).reverse());
    // Along an avenue there is hardly a detour.
    expect(sum(approachLegs(harlem, midtown)) / roadMeters(harlem, midtown)).toBeLessThan(1.05);
  });

  test('between two islands enters by the one bridge and leaves by the other', () => {
    const legs = approachLegs(newDorp, midtown);
    expect(legs).toHaveLength(3);
    const verrazzano = { lat: 40.6066, lng: -74.0447 };
    expect(legs[0]).toBe(roadMeters(newDorp, verrazzano));
  });

  test('takes longer from across the river than from far along the shore', () => {
    const acrossTheRiver = { lat: 40.737, lng: -74.028 };
    const pickup = { lat: 40.736, lng: -74.009 };
    const along = { lat: 40.753, lng: -73.999 };
    expect(distanceMeters(acrossTheRiver, pickup)).toBeLessThan(distanceMeters(along, pickup));
    expect(approachSeconds(acrossTheRiver, pickup, 12)).toBeGreaterThan(approachSeconds(along, pickup, 12));
  });

  test('is no slower a meter the longer it is: what the least of a way rests on', () => {
    const perMeter = durationTable.knots.map(([meters, seconds]) => seconds / meters);
    expect(perMeter).toEqual([...perMeter].sort((a, b) => b - a));
  });

  test('never takes less than the least of the straight line, at any hour', () => {
    const near = fc.record({
      lat: fc.double({ min: 40.45, max: 41, noNaN: true }),
      lng: fc.double({ min: -74.3, max: -73.6, noNaN: true }),
    });
    const anywhere = fc.record({
      lat: fc.double({ min: -90, max: 90, noNaN: true }),
      lng: fc.double({ min: -180, max: 180, noNaN: true }),
    });
    const some = fc.oneof({ weight: 4, arbitrary: near }, anywhere);
    fc.assert(
      fc.property(some, some, fc.integer({ min: 0, max: 23 }), (from, to, hour) => {
        const [meters, seconds] = [distanceMeters(from, to), approachSeconds(from, to, hour)];
        expect(seconds).toBeGreaterThanOrEqual(leastSeconds(meters, hour));
        expect(meters).toBeLessThanOrEqual(mostMeters(seconds, hour));
      }),
      { numRuns: 2_000 },
    );
    // It is no looser than it has to be: without water between it is what the drive takes.
    const downtown = { lat: 40.71, lng: -74.005 };
    const meters = distanceMeters(midtown, downtown);
    expect(approachSeconds(midtown, downtown, 5)).toBeCloseTo(leastSeconds(meters, 5), 3);
    expect(mostMeters(leastSeconds(meters, 5), 5)).toBeCloseTo(meters, 3);
  });
});
