import { msToNextPlace } from '../../tools/city/people/drive';
import { createMotion } from '../../tools/city/people/motion';
import { sampleTimes } from '../../tools/city/people/positions';

describe("a driver's positions", () => {
  it('are sampled every few seconds, the last one now', () => {
    expect(sampleTimes(0, 20_000)).toEqual([5_000, 10_000, 15_000, 20_000]);
    expect(sampleTimes(0, 7_000)).toEqual([7_000]);
  });

  it('are bounded in number, however much time has passed', () => {
    const times = sampleTimes(0, 3_600_000);
    expect(times).toHaveLength(20);
    expect(times.at(-1)).toBe(3_600_000);
  });

  it('are one before the clock runs', () => {
    expect(sampleTimes(5, 5)).toEqual([5]);
  });
});

describe('a motion', () => {
  const from = { lat: 40, lng: -74 };
  const to = { lat: 41, lng: -73 };

  it('goes in a straight line and stays where it arrives; a new one begins where the car is', () => {
    let time = 1_000;
    const motion = createMotion(from, { now: () => time });
    expect(motion.moving).toBe(false);
    motion.go(to, 10_000);
    expect(motion.at(6_000)).toEqual({ lat: 40.5, lng: -73.5 });
    expect(motion.at(99_000)).toEqual(to);
    time = 6_000;
    expect(motion.moving).toBe(true);
    motion.go(motion.at(time), 0);
    time = 99_000;
    expect(motion.at(time)).toEqual({ lat: 40.5, lng: -73.5 });
    expect(motion.moving).toBe(false);
  });

  it('takes as long as the way is, and not for ever', () => {
    const motion = createMotion(from, { now: () => 0 });
    expect(motion.timeTo({ lat: 40.01, lng: -74 }) / 1_000).toBeCloseTo(1_112 / 5.4, 0);
    expect(motion.timeTo(to)).toBe(8 * 60_000);
  });
});

describe('the time of a drive', () => {
  const north = (degrees: number) => ({ lat: 40 + degrees, lng: -74 });
  const plan = { pickup: north(0), dropoff: north(0.1), driveMs: 600_000 };
  const ride = { pickup: north(0), stops: [], stopsReached: 0, dropoff: north(0.1), durationSeconds: 1_200 };

  it('is that of its trip, or as quoted where nobody knows the plan', () => {
    expect(msToNextPlace(ride, plan)).toBe(600_000);
    expect(msToNextPlace(ride, undefined)).toBe(1_200_000);
  });

  it('to a stop is its part of the way', () => {
    const stops = [north(0.025), north(0.075)];
    expect(msToNextPlace({ ...ride, stops }, plan)).toBeCloseTo(150_000, -2);
    expect(msToNextPlace({ ...ride, stops, stopsReached: 1 }, plan)).toBeCloseTo(450_000, -2);
    expect(msToNextPlace({ ...ride, stops, stopsReached: 2 }, plan)).toBeCloseTo(600_000, -2);
  });

  it('is longer where the ride goes further, and no shorter where it does not', () => {
    const further = msToNextPlace({ ...ride, dropoff: north(0.11) }, plan);
    expect((further - 600_000) / 1_000).toBeCloseTo(1_112 / 5.4, 0);
    expect(msToNextPlace({ ...ride, dropoff: north(0.05) }, plan)).toBe(600_000);
    expect(msToNextPlace({ ...ride, dropoff: ride.pickup }, plan)).toBe(600_000);
  });
});
