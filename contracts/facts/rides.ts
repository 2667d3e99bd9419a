import { z } from 'zod';
import type { RideFactData, RideFactType } from '../../domain/ride';
import { currency, fare, minor, paymentMethod, point, product, subjectId, uuid } from '../shared';

/** One schema per fact of a ride, held to the domain's type. Readers ignore fields they do not know. */
export const rideFacts = {
  'ride.requested': z.object({
    rideId: uuid,
    riderId: subjectId,
    quoteId: uuid,
    product,
    pickup: point,
    dropoff: point,
    distanceMeters: z.int().min(0),
    durationSeconds: z.int().min(0),
    fare,
    paymentMethod,
  }),
  'ride.matching_started': z.object({}),
  'ride.payment_failed': z.object({ reason: z.string() }),
  'ride.driver_assigned': z.object({ driverId: subjectId, offerId: uuid }),
  'ride.no_driver_found': z.object({}),
  'ride.driver_unassigned': z.object({ driverId: subjectId, reason: z.string() }),
  'ride.driver_arrived': z.object({ driverId: subjectId }),
  'ride.started': z.object({ driverId: subjectId }),
  'ride.completed': z.object({ driverId: subjectId, chargeMinor: minor, currency }),
  'ride.cancelled': z.object({
    by: z.enum(['rider', 'operator', 'no_show']),
    reason: z.string(),
    driverId: subjectId.nullable(),
    feeMinor: minor,
    currency,
  }),
} satisfies { [T in RideFactType]: z.ZodType<RideFactData[T]> };
