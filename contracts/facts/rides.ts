import { z } from 'zod';
import type { RideFactData, RideFactType } from '../../domain/ride';
import { currency, fare, minor, paymentMethod, point, product, subjectId, time, uuid } from '../shared';

const route = {
  stops: z.array(point).default([]),
  dropoff: point,
  distanceMeters: z.int().min(0),
  durationSeconds: z.int().min(0),
  fare,
};

const request = z.object({
  rideId: uuid,
  riderId: subjectId,
  quoteId: uuid,
  product,
  pickup: point,
  ...route,
  paymentMethod,
  fallbackPaymentMethods: z.array(paymentMethod).optional().describe('what is tried where it is declined'),
  scheduledFor: time.nullable().default(null),
});

const routeChange = z.object({ changeId: uuid, ...route });
const byOperator = z.literal('operator').optional();
/** Where an operator says what the driver could not. */
const override = { by: byOperator, reason: z.string().optional() };

/** One schema per fact of a ride, held to the domain's type. Readers ignore fields they do not know. */
export const rideFacts = {
  'ride.scheduled': request,
  'ride.rescheduled': request,
  'ride.requested': request,
  'ride.matching_started': z.object({
    paymentMethod: paymentMethod.optional().describe('what holds the fare, where it is not the first'),
  }),
  'ride.payment_failed': z.object({ reason: z.string() }),
  'ride.driver_reserved': z.object({ driverId: subjectId, offerId: uuid }),
  'ride.driver_reservation_released': z.object({ driverId: subjectId, reason: z.string() }),
  'ride.driver_assigned': z.object({ driverId: subjectId, offerId: uuid }),
  'ride.no_driver_found': z.object({}),
  'ride.driver_unassigned': z.object({ driverId: subjectId, reason: z.string(), by: byOperator }),
  'ride.driver_arrived': z.object({ driverId: subjectId, ...override }),
  'ride.started': z.object({ driverId: subjectId, waitingMinor: minor.optional(), ...override }),
  'ride.stop_reached': z.object({ driverId: subjectId, stop: z.int().min(1) }),
  'ride.route_change_proposed': routeChange,
  'ride.route_change_declined': z.object({
    changeId: uuid,
    by: z.enum(['rider', 'driver', 'payment']),
    reason: z.string(),
  }),
  'ride.route_changed': routeChange,
  'ride.fare_adjusted': z.object({ fare, reason: z.string() }),
  'ride.completed': z.object({
    driverId: subjectId,
    chargeMinor: minor,
    currency,
    waitingMinor: minor.optional(),
    ended: z
      .object({
        by: z.enum(['rider', 'operator']),
        reason: z.string(),
        drivenMeters: z.number().min(0).nullable().optional(),
      })
      .optional(),
  }),
  'ride.cancelled': z.object({
    by: z.enum(['rider', 'operator', 'no_show']),
    reason: z.string(),
    driverId: subjectId.nullable(),
    feeMinor: minor,
    currency,
  }),
} satisfies { [T in RideFactType]: z.ZodType<RideFactData[T]> };
