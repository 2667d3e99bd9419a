import { z } from 'zod';
import type { PaymentFactData, PaymentFactType } from '../../domain/payment';
import { currency, minor, paymentMethod, subjectId, uuid } from '../shared';

/** One schema per fact of a payment, held to the domain's type. A payment's id is its ride's id. */
export const paymentFacts = {
  'payment.opened': z.object({
    rideId: uuid,
    riderId: subjectId,
    method: paymentMethod,
    amountMinor: minor,
    currency,
  }),
  'payment.authorized': z.object({ intentId: z.string(), amountMinor: minor, currency }),
  'payment.declined': z.object({ reason: z.string() }),
  'payment.hold_raised': z.object({
    intentId: z.string().nullable(),
    amountMinor: minor,
    currency,
    changeId: uuid,
  }),
  'payment.captured': z.object({
    intentId: z.string(),
    amountMinor: minor,
    currency,
    driverId: subjectId.nullable(),
    commissionMinor: minor,
  }),
  'payment.voided': z.object({ intentId: z.string().nullable() }),
  'payment.cash_settled': z.object({
    amountMinor: minor,
    currency,
    driverId: subjectId.nullable(),
    commissionMinor: minor,
  }),
  'payment.tip_charged': z.object({
    intentId: z.string(),
    tipMinor: minor,
    currency,
    driverId: subjectId.nullable(),
  }),
  'payment.refunded': z.object({ refundId: z.string(), amountMinor: minor, currency, reason: z.string() }),
} satisfies { [T in PaymentFactType]: z.ZodType<PaymentFactData[T]> };
