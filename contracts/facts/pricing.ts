import { z } from 'zod';
import { cell, fare, product, ridersPlace, ridersPlaces, subjectId, time, uuid } from '../shared';

/** What was promised to whom. */
export const pricingFacts = {
  'quote.issued': z
    .object({
      quoteId: uuid,
      riderId: subjectId,
      product,
      pickup: ridersPlace,
      pickupCell: cell.optional().describe('the H3 cell (resolution 8) of the pickup'),
      stops: ridersPlaces.default([]),
      dropoff: ridersPlace,
      distanceMeters: z.int().min(0),
      durationSeconds: z.int().min(0),
      surge: z.number().min(1),
      changesRideId: uuid
        .optional()
        .describe('the ride under way whose route it would change, at the surge that was booked'),
      fare,
      scheduledFor: time.nullable().default(null),
      expiresAt: time,
    })
    .describe('A fare was promised to a rider until it expires.'),
};
