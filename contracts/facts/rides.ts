import { z } from 'zod';
import type { RideFactData, RideFactType } from '../../domain/ride';
import { personalText } from '../personalMarks';
import {
  cell,
  currency,
  fare,
  minor,
  paymentMethod,
  product,
  ridersPlace,
  ridersPlaces,
  subjectId,
  time,
  uuid,
} from '../shared';

const route = {
  stops: ridersPlaces.default([]),
  dropoff: ridersPlace,
  distanceMeters: z.int().min(0),
  durationSeconds: z.int().min(0),
  fare,
};

const dropoffCell = cell
  .optional()
  .describe('the H3 cell (resolution 8) of the dropoff, near which the driver will be free');

const request = z.object({
  rideId: uuid,
  riderId: subjectId,
  quoteId: uuid,
  product,
  pickup: ridersPlace,
  pickupCell: cell
    .optional()
    .describe('the H3 cell (resolution 8) of the pickup, for whoever counts rides and needs nobody'),
  ...route,
  surge: z.number().min(1).optional().describe('what the fare was multiplied by when the ride was booked'),
  dropoffCell,
  paymentMethod,
  fallbackPaymentMethods: z.array(paymentMethod).optional().describe('what is tried where it is declined'),
  scheduledFor: time.nullable().default(null),
});

const routeChange = z.object({ changeId: uuid, ...route, dropoffCell });
const byOperator = z.literal('operator').optional();
/** Where an operator says what the driver could not. */
const override = { by: byOperator, reason: personalText('driverId').optional() };

/** One schema per fact of a ride, held to the domain's type. Readers ignore fields they do not know. */
export const rideFacts = {
  'ride.scheduled': request.describe('A ride is booked for a later time.'),
  'ride.rescheduled': request.describe(
    'The rider has changed a scheduled ride; the data is what is wanted now.',
  ),
  'ride.requested': request.describe('A rider wants a ride now, or the time of a scheduled one has come.'),
  'ride.matching_started': z
    .object({
      paymentMethod: paymentMethod.optional().describe('what holds the fare, where it is not the first'),
    })
    .describe('The fare is held (or cash agreed), and a driver is looked for.'),
  'ride.payment_failed': z
    .object({ reason: z.string() })
    .describe('None of the payment methods could hold the fare; the ride ends.'),
  'ride.driver_reserved': z
    .object({ driverId: subjectId, offerId: uuid })
    .describe('A driver who is about to finish another ride takes this one next.'),
  'ride.driver_reservation_released': z
    .object({ driverId: subjectId, reason: z.string() })
    .describe('The driver who was to come next does not; another one is looked for.'),
  'ride.driver_assigned': z
    .object({ driverId: subjectId, offerId: uuid })
    .describe('A driver has accepted the ride.'),
  'ride.no_driver_found': z.object({}).describe('Nobody took the ride in time; it ends and costs nothing.'),
  'ride.driver_unassigned': z
    .object({ driverId: subjectId, reason: personalText('driverId'), by: byOperator })
    .describe('The driver no longer comes; another one is looked for.'),
  'ride.driver_arrived': z
    .object({ driverId: subjectId, ...override })
    .describe('The driver waits at the pickup.'),
  'ride.started': z
    .object({ driverId: subjectId, waitingMinor: minor.optional(), ...override })
    .describe('The rider is in the car.'),
  'ride.stop_reached': z
    .object({ driverId: subjectId, stop: z.int().min(1) })
    .describe('A stop on the way is reached; stops are counted from 1.'),
  'ride.route_change_proposed': routeChange.describe(
    'The rider would like to go another way, at another fare.',
  ),
  'ride.route_change_declined': z
    .object({
      changeId: uuid,
      by: z.enum(['rider', 'driver', 'payment']),
      reason: personalText('riderId'),
    })
    .describe('The route stays as it was.'),
  'ride.route_changed': routeChange.describe('The proposed route and its fare count from now on.'),
  'ride.fare_adjusted': z
    .object({ fare, reason: personalText('riderId') })
    .describe('An operator has set the fare.'),
  'ride.completed': z
    .object({
      driverId: subjectId,
      chargeMinor: minor,
      currency,
      waitingMinor: minor.optional(),
      ended: z
        .object({
          by: z.enum(['rider', 'operator']),
          reason: personalText('riderId'),
          drivenMeters: z.number().min(0).nullable().optional(),
        })
        .optional(),
    })
    .describe('The ride is over, and what it comes to is known.'),
  'ride.cancelled': z
    .object({
      by: z.enum(['rider', 'operator', 'no_show']),
      reason: personalText('riderId'),
      driverId: subjectId.nullable(),
      feeMinor: minor,
      currency,
    })
    .describe('The ride ends before it has begun, perhaps for a fee.'),
} satisfies { [T in RideFactType]: z.ZodType<RideFactData[T]> };
