import { z } from 'zod';
import { fare, freeText, point, subjectId, time, uuid, vehicle } from '../shared';

export const driverRegistration = z.strictObject({
  name: freeText(100),
  plate: freeText(16),
  product: vehicle.default('standard'),
  fleetId: subjectId
    .nullable()
    .default(null)
    .describe('the fleet that may send positions of this driver: the subject of its token'),
});

/** Where the app says that the driver is when the shift begins. */
export const onlineBody = z.strictObject({ position: point.strict().optional() }).default({});

export const driverView = z.strictObject({
  driverId: subjectId,
  name: z.string(),
  plate: z.string(),
  product: vehicle,
  fleetId: subjectId.nullable(),
  online: z.boolean(),
  rideId: uuid.nullable(),
  /** The ride that is the driver's when the present one is over. */
  nextRideId: uuid.nullable(),
});

/** An offer as its driver sees it, in the SSE stream (event `offer`; `offer_over` carries only the id). */
export const offerView = z.strictObject({
  offerId: uuid,
  rideId: uuid,
  pickup: point,
  stops: z.array(point),
  dropoff: point,
  distanceMeters: z.int(),
  durationSeconds: z.int(),
  fare,
  paymentMethod: z.enum(['card', 'cash']),
  /** The driver's way to the pickup when the offer was made, on the road; null where nobody knew. */
  pickupDistanceMeters: z.int().nullable(),
  etaSeconds: z.int().nullable(),
  expiresAt: time,
});

export const offerAnswer = z.strictObject({
  offerId: uuid,
  rideId: uuid,
  state: z.enum(['accepted', 'declined']),
});

export type DriverView = z.infer<typeof driverView>;
export type OfferView = z.infer<typeof offerView>;
