import { z } from 'zod';
import { paymentStatuses } from '../../domain/payment';
import { paymentNeeds, type PaymentNeed } from '../../domain/paymentNeeds';
import { currency, minor, time, uuid } from '../shared';

const need = z.enum(Object.keys(paymentNeeds) as [PaymentNeed, ...PaymentNeed[]]);

export const paymentNeedsQuery = z.strictObject({
  need: need.optional().describe('only these'),
  after: uuid.optional().describe('the `next` of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Payments that need somebody. `workflowId` is where the reason is, in Temporal's web UI. */
export const paymentNeedsView = z.strictObject({
  payments: z.array(
    z.strictObject({
      rideId: uuid,
      workflowId: z.string(),
      need,
      status: z.enum(paymentStatuses),
      isStuck: z
        .boolean()
        .describe('it is parked, or what it does has failed for minutes: its card says what'),
      currency,
      owedMinor: minor,
      refundFailedMinor: minor.describe('what could not go back to the rider'),
      since: time.describe('when the last happened to it'),
      reason: z.string().nullable(),
      action: z.string().describe('what to do'),
    }),
  ),
  next: uuid.nullable().describe('`after` of the next page, null after the last one'),
  incomplete: z.boolean().describe('more payments are stuck than are looked at: not all of them are listed'),
});

export type PaymentNeedsView = z.infer<typeof paymentNeedsView>;
