import { z } from 'zod';
import { currency, minor, point, subjectId, uuid, vehicle } from '../../shared';

/** What a quote was before there were couriers, stops, rides for later, tolls and taxes. */
export const quotedV1 = {
  quoteId: uuid,
  riderId: subjectId,
  product: vehicle,
  pickup: point,
  dropoff: point,
  distanceMeters: z.int().min(0),
  durationSeconds: z.int().min(0),
  fare: z.object({
    currency,
    totalMinor: minor,
    lines: z.array(
      z.object({ kind: z.enum(['base', 'distance', 'time', 'minimum', 'surge']), amountMinor: z.int() }),
    ),
  }),
};
