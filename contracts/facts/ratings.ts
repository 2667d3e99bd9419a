import { z } from 'zod';
import type { RatingFactData } from '../../domain/rating';
import { subjectId, uuid } from '../shared';

/** What people think of a ride, each rating an aggregate of its own: a ride's facts end with its end. */
export const ratingFacts = {
  'rating.given': z
    .object({
      ratingId: uuid,
      rideId: uuid,
      by: z.enum(['rider', 'driver']),
      raterId: subjectId,
      ratedId: subjectId,
      stars: z.int().min(1).max(5),
    })
    .describe('A rider has rated a driver, or a driver a rider.') satisfies z.ZodType<RatingFactData>,
};
