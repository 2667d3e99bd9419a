import { z } from 'zod';
import { fare, product, ridersPlace, ridersPlaces, subjectId, time, uuid } from '../shared';

/** What was promised to whom. */
export const pricingFacts = {
  'quote.issued': z
    .object({
      quoteId: uuid,
      riderId: subjectId,
      product,
      pickup: ridersPlace,
      stops: ridersPlaces.default([]),
      dropoff: ridersPlace,
      distanceMeters: z.int().min(0),
      durationSeconds: z.int().min(0),
      surge: z.number().min(1),
      fare,
      scheduledFor: time.nullable().default(null),
      expiresAt: time,
    })
    .describe('A fare was promised to a rider until it expires.'),
};
