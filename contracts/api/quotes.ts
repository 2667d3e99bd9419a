import { z } from 'zod';
import { MAX_DROPS } from '../../domain/courier';
import { fare, point, product, subjectId, time, uuid } from '../shared';

export const quoteRequest = z.strictObject({
  pickup: point.strict(),
  /** In this order; a courier's drops, `dropoff` among them, are put into the order of the shortest way. */
  stops: z.array(point.strict()).max(MAX_DROPS).default([]),
  dropoff: point.strict(),
  product: product.default('standard'),
  /** When the rider wants to be picked up, if that is later: the time of the drive is that hour's. */
  scheduledFor: time.nullable().default(null),
});

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
  fare,
  scheduledFor: time.nullable().default(null),
  expiresAt: time,
});

/** What a quote's token says: the quote, and whose it is. */
export const quoteClaims = z.object({ ...quoteView.omit({ token: true }).shape, riderId: subjectId });

/** What the gateway asks of pricing. */
export const pricingRequest = z.strictObject({ ...quoteRequest.shape, riderId: subjectId });

export type QuoteClaims = z.infer<typeof quoteClaims>;
export type QuoteRequest = z.infer<typeof quoteRequest>;
export type QuoteView = z.infer<typeof quoteView>;
