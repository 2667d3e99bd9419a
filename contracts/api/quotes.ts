import { z } from 'zod';
import { fare, point, product, time, uuid } from '../shared';

export const quoteRequest = z.strictObject({
  pickup: point,
  dropoff: point,
  product: product.default('standard'),
});

/** `token` is the quote, signed: it is what a ride is requested with, once, before `expiresAt`. */
export const quoteView = z.strictObject({
  quoteId: uuid,
  token: z.string(),
  product,
  pickup: point,
  dropoff: point,
  distanceMeters: z.int(),
  durationSeconds: z.int(),
  surge: z.number(),
  fare,
  expiresAt: time,
});

export type QuoteRequest = z.infer<typeof quoteRequest>;
export type QuoteView = z.infer<typeof quoteView>;
