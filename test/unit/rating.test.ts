import { scalePolicies, standardPolicies } from '../../domain/policies';
import { decideRating } from '../../domain/rating';
import { isShown, shareUntil } from '../../services/rides/share';
import { play, standardRide } from '../support/rides';

const { ride } = play(standardRide);
const endedAt = Date.parse(ride.endedAt!);
const after = (ms: number): string => new Date(endedAt + ms).toISOString();
const { ratingWindowMs, shareTtlMs, shareGraceMs } = standardPolicies;
const rate = (ms: number, by: 'rider' | 'driver' = 'rider') =>
  decideRating(ride, { by, stars: 4, comment: null, at: after(ms) }, standardPolicies);

function refusal(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    return error;
  }
}

describe('a rating', () => {
  test('of the rider is about the driver, and the other way round', () => {
    expect(rate(0, 'rider')).toMatchObject({ raterId: 'rider-1', ratedId: 'driver-1', stars: 4 });
    expect(rate(0, 'driver')).toMatchObject({ raterId: 'driver-1', ratedId: 'rider-1' });
  });

  test('is taken until the window is over, to the millisecond', () => {
    expect(rate(ratingWindowMs).givenAt).toBe(after(ratingWindowMs));
    expect(refusal(() => rate(ratingWindowMs + 1))).toMatchObject({ code: 'rating_not_possible' });
  });

  test.each(standardRide.map((_, n) => n).slice(1))('is refused after %i steps, before the end', (n) => {
    const early = play(standardRide.slice(0, n)).ride;
    const asked = { by: 'rider', stars: 5, comment: null, at: after(0) } as const;
    expect(refusal(() => decideRating(early, asked, standardPolicies))).toMatchObject({
      code: 'rating_not_possible',
      details: { rideStatus: early.status },
    });
  });

  test('is refused for a ride that was cancelled with a driver', () => {
    const cancel = { type: 'cancelByOperator', at: after(0), reason: 'storm' } as const;
    const cancelled = play([...standardRide.slice(0, 3), cancel]).ride;
    expect(cancelled.driverId).toBe('driver-1');
    const asked = { by: 'rider', stars: 1, comment: null, at: after(1) } as const;
    expect(() => decideRating(cancelled, asked, standardPolicies)).toThrow('cancelled');
  });
});

describe('a link to a ride', () => {
  test('shows it until shortly after its end, to the millisecond', () => {
    expect(isShown(play(standardRide.slice(0, 5)).ride, endedAt + 10 * shareGraceMs, standardPolicies)).toBe(
      true,
    );
    expect(isShown(ride, endedAt + shareGraceMs - 1, standardPolicies)).toBe(true);
    expect(isShown(ride, endedAt + shareGraceMs, standardPolicies)).toBe(false);
  });

  test('is good from now, or from the pickup of a ride for later', () => {
    expect(shareUntil(ride, 5_000, standardPolicies)).toBe(5_000 + shareTtlMs);
    const later = { ...ride, scheduledFor: after(0) };
    expect(shareUntil(later, 5_000, standardPolicies)).toBe(endedAt + shareTtlMs);
    expect(shareUntil(later, endedAt + 1_000, standardPolicies)).toBe(endedAt + 1_000 + shareTtlMs);
  });

  test('is shorter in a city whose clock runs faster', () => {
    expect(shareUntil(ride, 0, scalePolicies(standardPolicies, 60))).toBe(shareTtlMs / 60);
  });
});
