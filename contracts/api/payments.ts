import { z } from 'zod';
import { paymentStatuses } from '../../domain/payment';
import { currency, freeText, minor, time, uuid } from '../shared';

/** A ride's payment as its rider or an operator sees it. */
export const paymentView = z.strictObject({
  rideId: uuid,
  status: z.enum(paymentStatuses),
  method: z.enum(['card', 'cash']),
  currency,
  amountMinor: minor.describe('what is secured for the ride, or is to be paid in cash'),
  capturedMinor: minor.describe('what was taken for the ride, without the tip'),
  refundedMinor: minor,
  tipMinor: minor,
  owedMinor: minor.describe('what the rider still owes after the ride'),
  action: z
    .strictObject({ url: z.string().nullable(), deadlineAt: time.nullable() })
    .nullable()
    .describe("the page on which the rider's bank wants to see the rider, and until when"),
  unresolvedSince: time.nullable().describe('since when nobody knows what became of a call to the provider'),
  failureReason: z.string().nullable(),
});

const entry = { at: time };

/** What there is on a payment, of every source, by its time. */
export const paymentTimeline = z.strictObject({
  rideId: uuid,
  payment: paymentView.nullable(),
  entries: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({
        ...entry,
        kind: z.literal('fact'),
        type: z.string(),
        version: z.int(),
        data: z.looseObject({}),
      }),
      z.strictObject({
        ...entry,
        kind: z.literal('intent'),
        intentId: z.string(),
        purpose: z.string(),
        intentVersion: z.int(),
      }),
      z.strictObject({
        ...entry,
        kind: z.literal('attempt'),
        request: z.string(),
        idempotencyKey: z.string().nullable(),
        objectId: z.string().nullable(),
        ms: z.int().nullable().describe('null where no answer was seen'),
        outcome: z.string().nullable(),
        httpStatus: z.int().nullable(),
        requestId: z.string().nullable(),
      }),
      z.strictObject({
        ...entry,
        kind: z.literal('webhook'),
        eventId: z.string(),
        type: z.string(),
        objectId: z.string(),
        createdAt: time.describe("by the provider's clock"),
        toldAt: time.nullable(),
        toldTo: z.string().nullable().describe('the workflow; null where nobody waited for it'),
      }),
      z.strictObject({
        ...entry,
        kind: z.literal('ledger'),
        transactionId: uuid,
        bookedFor: z.string(),
        lines: z.array(z.strictObject({ account: z.string(), currency, amountMinor: z.int() })),
      }),
      z.strictObject({
        ...entry,
        kind: z.literal('dispute'),
        disputeId: z.string(),
        type: z.string(),
        version: z.int(),
        data: z.looseObject({}),
      }),
    ]),
  ),
  /** Of the attempts only the newest 500 are shown. */
  attemptsLeftOut: z.int(),
});

const reason = freeText(200);

export const resolveBody = z.strictObject({
  outcome: z
    .enum(['happened', 'did_not_happen'])
    .describe("what became of the call, by the provider's own books"),
  evidence: freeText(200).describe('free text: where that is to be seen'),
  objectId: freeText(200)
    .regex(/^(pi|re|pyr)_\w+$/)
    .optional()
    .describe(
      'what the provider calls what came of it: a charge (`pi_…`) or a refund (`re_…`) that happened has to have one',
    ),
});
export const waiveBody = z.strictObject({ reason });
export const adjustBody = z.strictObject({
  toMinor: minor.describe('what the ride shall cost in all, without the tip'),
  reason,
});

export type PaymentView = z.infer<typeof paymentView>;
export type PaymentTimeline = z.infer<typeof paymentTimeline>;
export type TimelineEntry = PaymentTimeline['entries'][number];
