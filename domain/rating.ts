import { DomainError } from './errors';
import type { Policies } from './policies';
import type { Ride } from './ride';

/** Who rates: the rider rates the driver, the driver the rider. */
export type RatingSide = 'rider' | 'driver';

/** Somebody's word on a ride, given once. `stars` is 1 to 5; times are ISO 8601 in UTC. */
export interface Rating {
  readonly rideId: string;
  readonly by: RatingSide;
  readonly raterId: string;
  readonly ratedId: string;
  readonly stars: number;
  readonly comment: string | null;
  readonly givenAt: string;
}

/**
 * The data of `rating.given`. The comment stays where it was given: facts are kept for ever, and it may name people.
 */
export type RatingFactData = Omit<Rating, 'comment' | 'givenAt'> & { readonly ratingId: string };

/**
 * The rating that `by` gives for a ride at `at`: of a completed ride only, and for a while after it.
 * @throws DomainError `rating_not_possible`
 */
export function decideRating(
  ride: Ride,
  { by, stars, comment, at }: { by: RatingSide; stars: number; comment: string | null; at: string },
  { ratingWindowMs }: Pick<Policies, 'ratingWindowMs'>,
): Rating {
  const { rideId, riderId, driverId, status, endedAt } = ride;
  if (status !== 'completed' || driverId === null || endedAt === null) {
    throw new DomainError('rating_not_possible', `A ride that is ${status} is not rated.`, {
      rideStatus: status,
    });
  }
  const until = Date.parse(endedAt) + ratingWindowMs;
  if (Date.parse(at) > until) {
    const over = new Date(until).toISOString();
    throw new DomainError('rating_not_possible', `The ride could be rated until ${over}.`, { until: over });
  }
  const [raterId, ratedId] = by === 'rider' ? [riderId, driverId] : [driverId, riderId];
  return { rideId, by, raterId, ratedId, stars, comment, givenAt: at };
}
