import { z } from 'zod';
import { freeText, time, uuid } from '../shared';

/** Where deliveries go: http or https, without a user or a fragment. */
const webhookUrl = z
  .url({ protocol: /^https?$/ })
  .max(2_048)
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { username, password, hash } = new URL(text);
    return username === '' && password === '' && hash === '';
  }, 'a URL without user, password and fragment');

export const webhookRegistration = z.strictObject({
  url: webhookUrl,
  description: freeText(200, { min: 0 }).default(''),
});

export const webhookView = z.strictObject({
  webhookId: uuid,
  url: z.string(),
  description: z.string(),
  createdAt: time,
});

/** With the secret, which is shown this once. */
export const webhookCreated = z.strictObject({ ...webhookView.shape, secret: z.string() });

export const webhookList = z.strictObject({ webhooks: z.array(webhookView) });

/** The new secret, which is shown this once; until `previousUntil` both sign. */
export const webhookSecret = z.strictObject({ secret: z.string(), previousUntil: time });

export const deliveriesQuery = z.strictObject({
  state: z.enum(['pending', 'delivered', 'given_up']).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  before: z.coerce.number().int().min(1).optional().describe('`next` of the page before'),
});

/** One post and what came back: `status` is null when nothing did. */
const deliveryAttempt = z.strictObject({
  attempt: z.int(),
  at: time,
  durationMs: z.int(),
  status: z.int().nullable(),
  error: z.string().nullable(),
});

/** `given_up` after a day of attempts, or because the webhook was deleted. */
export const webhookDelivery = z.strictObject({
  deliveryId: uuid,
  factId: z.string(),
  rideId: uuid,
  state: z.enum(['pending', 'delivered', 'given_up']),
  createdAt: time,
  nextAttemptAt: time.nullable(),
  attempts: z.array(deliveryAttempt),
});

export const deliveriesView = z.strictObject({
  deliveries: z.array(webhookDelivery),
  next: z.int().nullable(),
});

/** The facts of payments that are posted beside those of rides: the ride goes on only when its rider has done something. */
const paymentsTold = ['payment.action_required', 'payment.method_changed'];

/** Whether webhooks are told of such facts. */
export const isTold = (type: string): boolean => type.startsWith('ride.') || paymentsTold.includes(type);

/**
 * What is posted: the facts of a ride, and of its payment those that the rider has to know while it goes on
 * (`payment.action_required`, `payment.method_changed`). Order is not promised and it may come twice: `id` is the same
 * for every repeat, `version` is the ride's version after the fact, or the payment's, `data` is the fact's (docs/facts.md) with the kind of payment in place of its means.
 */
export const webhookBody = z.strictObject({
  id: uuid,
  factId: z.string(),
  type: z.string(),
  rideId: uuid,
  version: z.int(),
  at: time,
  data: z.looseObject({}),
});

export type WebhookCreated = z.infer<typeof webhookCreated>;
export type WebhookList = z.infer<typeof webhookList>;
export type WebhookDelivery = z.infer<typeof webhookDelivery>;
