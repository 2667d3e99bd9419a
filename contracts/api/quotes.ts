import { z } from 'zod';
import { MAX_DROPS } from '../../domain/courier';
import { fare, point, product, subjectId, time, uuid } from '../shared';

const requested = z.strictObject({
  pickup: point.strict(),
  /** In this order; a courier's drops, `dropoff` among them, are put into the order of the shortest way. */
  stops: z.array(point.strict()).max(MAX_DROPS).default([]),
  dropoff: point.strict(),
  /** So many stops keep their place at the head, also a courier's: those that the ride under way has reached. */
  fixedStops: z.int().min(0).default(0),
  product: product.default('standard'),
  /** When the rider wants to be picked up, if that is later: the time of the drive is that hour's. */
  scheduledFor: time.nullable().default(null),
  /** For another way of this ride, which is under way: at the surge that it was booked with, and good for nothing else. */
  changesRideId: uuid.optional().describe('the ride under way whose route it would change'),
});

const mustHaveFixedStops = ({ stops, fixedStops }: z.infer<typeof requested>): boolean =>
  fixedStops <= stops.length;
const tooFewStops = { path: ['fixedStops'], error: 'No more stops can be fixed than there are.' };

export const quoteRequest = requested.refine(mustHaveFixedStops, tooFewStops);

/** `token` is the quote, signed: it is what a ride is requested with, once, before `expiresAt`. */
export const quoteView = z.strictObject({
  quoteId: uuid,
  token: z.string(),
  product,
  pickup: point,
  stops: z.array(point).default([]),
  dropoff: point,
  distanceMeters: z.int(),
  durationSeconds: z.int(),
  surge: z.number(),
  changesRideId: uuid.optional(),
  fare,
  scheduledFor: time.nullable().default(null),
  expiresAt: time,
});

/** What a quote's token says: the quote, and whose it is. */
export const quoteClaims = z.object({ ...quoteView.omit({ token: true }).shape, riderId: subjectId });

/** What the gateway asks of pricing; `bookedSurge` is that of the ride which would be changed. */
export const pricingRequest = z
  .strictObject({ ...requested.shape, riderId: subjectId, bookedSurge: z.number().min(1).optional() })
  .refine(mustHaveFixedStops, tooFewStops);

export type QuoteClaims = z.infer<typeof quoteClaims>;
export type QuoteRequest = z.infer<typeof quoteRequest>;
export type PricingRequest = Omit<z.infer<typeof pricingRequest>, 'riderId'>;
export type QuoteView = z.infer<typeof quoteView>;
