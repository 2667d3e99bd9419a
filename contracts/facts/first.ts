import { z } from 'zod';
import { currency, minor, paymentMethod, point, subjectId, time, uuid, vehicle } from '../shared';

/** Schemas of facts that have a newer version. They are stored, so they stay; the newer ones read them too. */

const fareV1 = z.object({
  currency,
  totalMinor: minor,
  lines: z.array(
    z.object({ kind: z.enum(['base', 'distance', 'time', 'minimum', 'surge']), amountMinor: z.int() }),
  ),
});

const quoted = {
  quoteId: uuid,
  riderId: subjectId,
  product: vehicle,
  pickup: point,
  dropoff: point,
  distanceMeters: z.int().min(0),
  durationSeconds: z.int().min(0),
  fare: fareV1,
};

export const firstVersions = {
  'ride.requested': z.object({ rideId: uuid, ...quoted, paymentMethod }),
  'quote.issued': z.object({ ...quoted, surge: z.number().min(1), expiresAt: time }),
};
