import { z } from 'zod';
import type { PaymentFactData, PaymentFactType } from '../../domain/paymentFacts';
import { personalText } from '../personalMarks';
import { currency, minor, paymentMethod, subjectId, time, uuid } from '../shared';

const amount = { amountMinor: minor, currency };
const split = {
  currency,
  driverId: subjectId.nullable(),
  commissionMinor: minor,
  taxMinor: minor.optional().describe('goes on to the state; 0 where it is not said'),
  for: z
    .enum(['fare', 'cancellation_fee', 'no_show_fee'])
    .optional()
    .describe('what is paid for; a fare where it is not said'),
};
const intentId = z.string();
/** A code, mostly the provider's. */
const reason = z.string();
/** Words that somebody typed. */
const words = personalText('riderId');
const providerCall = z.enum([
  'authorize',
  'raiseHold',
  'capture',
  'voidHold',
  'chargeTip',
  'chargeExtra',
  'collect',
  'refund',
]);

/** One schema per fact of a payment, held to the domain's type. A payment's id is its ride's id. */
export const paymentFacts = {
  'payment.opened': z
    .object({
      rideId: uuid,
      riderId: subjectId,
      method: paymentMethod,
      fallbacks: z.array(paymentMethod).optional().describe('what is tried where the method is declined'),
      ...amount,
    })
    .describe('A ride is to be paid for; nothing is held yet.'),
  'payment.action_required': z
    .object({ intentId, deadlineAt: time })
    .describe("The rider's bank wants to see the rider, until the deadline."),
  'payment.method_changed': z
    .object({ method: paymentMethod, reason })
    .describe('A method could not be used, and the next one is tried.'),
  'payment.authorized': z.object({ intentId, ...amount }).describe('The amount is held.'),
  'payment.declined': z.object({ reason }).describe('No method holds the amount; the payment ends.'),
  'payment.reauthorized': z
    .object({ intentId, replacedIntentId: intentId, ...amount })
    .describe('A hold that got old was replaced by a new one.'),
  'payment.hold_raised': z
    .object({ intentId: intentId.nullable(), ...amount, changeId: uuid })
    .describe('A larger amount is held, for a route change.'),
  'payment.unresolved': z
    .object({ call: providerCall, reason })
    .describe('Nobody knows what a call to the provider has done.'),
  'payment.resolved': z
    .object({
      by: z.enum(['provider', 'operator']),
      outcome: z.string(),
      evidence: words.optional(),
      operatorId: subjectId.optional(),
    })
    .describe('It is known what the call in doubt has done.'),
  'payment.captured': z
    .object({
      intentId,
      ...amount,
      ...split,
      owedMinor: minor.optional().describe('what is owed, where that is not what was taken'),
    })
    .describe('The rider was charged at the end of the ride.'),
  'payment.charge_failed': z
    .object({ ...split, owedMinor: minor, reason })
    .describe('The rider could not be charged and owes the amount.'),
  'payment.collected': z.object({ intentId, ...amount }).describe('A debt was charged later.'),
  'payment.waived': z
    .object({ ...amount, reason: words, operatorId: subjectId.optional() })
    .describe('A debt was given up.'),
  'payment.voided': z
    .object({ intentId: intentId.nullable() })
    .describe('The hold was released: nothing is owed.'),
  'payment.cash_settled': z
    .object({ ...amount, ...split })
    .describe('The driver has the fare in cash and owes the commission.'),
  'payment.tip_charged': z
    .object({ intentId, tipMinor: minor, currency, driverId: subjectId.nullable() })
    .describe('A tip was charged.'),
  'payment.extra_charged': z
    .object({
      intentId,
      ...amount,
      ...split,
      reason: words,
      operatorId: subjectId.optional(),
    })
    .describe('Something was charged beside the fare.'),
  'payment.refunded': z
    .object({
      refundId: z.string(),
      ...amount,
      reason: words,
      intentId: intentId.optional().describe('what was refunded; the capture where it is not said'),
      operatorId: subjectId.optional(),
      refundKey: z.string().optional().describe("a hash of the caller's key, where the API was asked"),
      leftMinor: minor.optional().describe('what was still to go back for that key'),
    })
    .describe('Money goes back to the rider.'),
  'payment.refund_failed': z
    .object({ refundId: z.string(), intentId, ...amount, reason })
    .describe('A refund came back: the rider does not have the money.'),
  'payment.refund_settled': z
    .object({ ...amount, evidence: words, operatorId: subjectId })
    .describe('The rider got the money of a failed refund otherwise, as an operator says.'),
} satisfies { [T in PaymentFactType]: z.ZodType<PaymentFactData[T]> };
