import { z } from 'zod';
import { hasCardNumber } from '../../domain/cardNumber';
import {
  fare,
  freeText,
  minor,
  paymentMethod,
  point,
  product,
  subjectId,
  time,
  uuid,
  vehicle,
} from '../shared';

/** An id of the client's making, no free text: a digit in two of a UUID would pass for a card number now and then. */
export const idempotencyKey = z.string().regex(/^[\x21-\x7e]{1,128}$/, '1 to 128 visible ASCII characters');

const [card, cash] = paymentMethod.options;

/** The provider's name for a card (`pm_…`). The card's number never comes here, in whatever disguise. */
const cardToken = z
  .string()
  .regex(/^(pm|card|src|tok)_\w{1,250}$/, "the provider's token of a card: pm_…")
  .refine((token) => !hasCardNumber(token), 'no card numbers');

const payingMethod = z.discriminatedUnion('type', [
  card.extend({ token: cardToken }).strict(),
  cash.strict(),
]);

export const rideRequestBody = z
  .strictObject({
    quoteToken: z.string().min(1).max(4_096),
    paymentMethod: payingMethod,
    /** Tried one after another where the method before is declined, or its bank is not answered. */
    fallbackPaymentMethods: z.array(payingMethod).min(1).max(2).optional(),
    /** For later: instead of what the quote says of it. */
    scheduledFor: time.optional(),
  })
  .refine(
    ({ paymentMethod, fallbackPaymentMethods = [] }) =>
      [paymentMethod, ...fallbackPaymentMethods].slice(0, -1).every(({ type }) => type !== 'cash'),
    { path: ['fallbackPaymentMethods'], message: 'cash is never declined: nothing comes after it' },
  );

/** What shall be different: the time, or with another quote everything but the payment. */
export const rescheduleBody = z
  .strictObject({
    scheduledFor: time.optional(),
    quoteToken: z.string().min(1).max(4_096).optional(),
  })
  .refine((body) => body.scheduledFor !== undefined || body.quoteToken !== undefined, 'nothing to change');

/** The answer to a request, the same for every repeat of its key. */
export const rideAccepted = z.strictObject({
  rideId: uuid,
  /** `scheduled`: for later. */
  status: z.enum(['requested', 'scheduled']),
  quoteId: uuid,
  product,
  pickup: point,
  stops: z.array(point),
  dropoff: point,
  fare,
  scheduledFor: time.nullable(),
  requestedAt: time,
});

export const rideStatus = z.enum([
  'scheduled',
  'requested',
  'matching',
  'assigned',
  'arrived',
  'in_progress',
  'completed',
  'cancelled',
  'no_driver',
  'payment_failed',
]);

/** What a rider proposes under way, until it is answered. */
const routeChangeView = z.strictObject({
  changeId: uuid,
  stops: z.array(point),
  dropoff: point,
  distanceMeters: z.int(),
  durationSeconds: z.int(),
  fare,
});

/** What somebody's ratings come to: null while there are none. */
export const ratingSummary = z.strictObject({ average: z.number().nullable(), count: z.int() });

/** A ride as its rider, its driver or an operator sees it; `startCode` is for the rider alone. */
export const rideView = z.strictObject({
  rideId: uuid,
  riderId: subjectId,
  version: z.int(),
  status: rideStatus,
  product,
  pickup: point,
  stops: z.array(point),
  stopsReached: z.int(),
  dropoff: point,
  distanceMeters: z.int(),
  durationSeconds: z.int(),
  fare,
  paymentMethod: z.enum(['card', 'cash']),
  driverId: subjectId.nullable(),
  /** On looking at a ride, for its rider and for operators: who comes. */
  driver: z
    .strictObject({ name: z.string(), plate: z.string(), product: vehicle, rating: ratingSummary })
    .optional(),
  /** On looking at a ride, for its driver: what others thought of the rider. */
  riderRating: ratingSummary.optional(),
  /** A driver about to finish another ride, who takes this one then. */
  reservedDriverId: subjectId.nullable(),
  startCode: z.string().optional(),
  scheduledFor: time.nullable(),
  requestedAt: time,
  assignedAt: time.nullable(),
  arrivedAt: time.nullable(),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  waitingMinor: minor,
  routeChange: routeChangeView.nullable(),
  chargeMinor: minor.nullable(),
  endReason: z.string().nullable(),
});

const reason = freeText(200);

/** `previewToken`: from the preview; while it is good, the cancel costs no more than it said. Any other is ignored. */
export const cancelBody = z.strictObject({
  reason: reason.optional(),
  previewToken: z.string().max(4_096).optional(),
});
export const cancellationPreview = z.strictObject({
  rideId: uuid,
  feeMinor: minor,
  currency: z.string(),
  why: z.string(),
  previewToken: z.string(),
  expiresAt: time,
});
/** `quoteToken`: of a quote with the ride's pickup and product, and with the stops that were reached as they are. */
export const routeChangeBody = z.strictObject({ quoteToken: z.string().min(1).max(4_096) });
export const declineRouteBody = z.strictObject({ reason: reason.optional() }).default({});
export const endBody = z.strictObject({ reason: reason.optional() });
/** Where the driver is right now; without it the last position that was sent counts. */
export const arriveBody = z.strictObject({ position: point.strict().optional() }).default({});
/** What an operator says of what is done to a ride; `driverId` is whom it is taken from. */
export const operatorBody = z.strictObject({ reason });
export const reassignBody = z.strictObject({ driverId: subjectId, reason });
export const fareBody = z.strictObject({ totalMinor: minor, reason });
export const startBody = z.strictObject({ code: z.string().regex(/^[0-9]{4}$/, 'four digits') });
export const tipBody = z.strictObject({ amountMinor: minor.min(1).max(100_000) });
export const tipView = z.strictObject({ rideId: uuid, tipMinor: minor, currency: z.string() });
export const refundBody = z.strictObject({ amountMinor: minor.min(1), reason });
export const refundView = z.strictObject({
  rideId: uuid,
  refundId: z.string(),
  amountMinor: minor,
  refundedMinor: minor,
  currency: z.string(),
});

/** One event of a ride's stream: the SSE id is `version`, the SSE event is `type`. */
export const rideEvent = z.strictObject({ version: z.int(), type: z.string(), at: time, ride: rideView });

export type RideRequestBody = z.infer<typeof rideRequestBody>;
export type RescheduleBody = z.infer<typeof rescheduleBody>;
export type RideAccepted = z.infer<typeof rideAccepted>;
export type CancellationPreview = z.infer<typeof cancellationPreview>;
export type RideView = z.infer<typeof rideView>;
export type TipView = z.infer<typeof tipView>;
export type RefundView = z.infer<typeof refundView>;
