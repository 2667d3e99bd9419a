import { z } from 'zod';
import type { DisputeFactData, DisputeFactType } from '../../domain/dispute';
import type { PaymentFactData, PaymentFactType } from '../../domain/paymentFacts';
import {
  checkNames,
  type DriftKind,
  type ReconciliationFactData,
  type ReconciliationFactType,
} from '../../domain/reconciliation';
import type { PayoutFactData, PayoutFactType } from '../../domain/payout';
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
const reason = z.string();
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
  'payment.opened': z.object({
    rideId: uuid,
    riderId: subjectId,
    method: paymentMethod,
    fallbacks: z.array(paymentMethod).optional().describe('what is tried where the method is declined'),
    ...amount,
  }),
  'payment.action_required': z.object({ intentId, deadlineAt: time }),
  'payment.method_changed': z.object({ method: paymentMethod, reason }),
  'payment.authorized': z.object({ intentId, ...amount }),
  'payment.declined': z.object({ reason }),
  'payment.reauthorized': z.object({ intentId, replacedIntentId: intentId, ...amount }),
  'payment.hold_raised': z.object({ intentId: intentId.nullable(), ...amount, changeId: uuid }),
  'payment.unresolved': z.object({ call: providerCall, reason }),
  'payment.resolved': z.object({
    by: z.enum(['provider', 'operator']),
    outcome: z.string(),
    evidence: z.string().optional(),
    operatorId: subjectId.optional(),
  }),
  'payment.captured': z.object({
    intentId,
    ...amount,
    ...split,
    owedMinor: minor.optional().describe('what is owed, where that is not what was taken'),
  }),
  'payment.charge_failed': z.object({ ...split, owedMinor: minor, reason }),
  'payment.collected': z.object({ intentId, ...amount }),
  'payment.waived': z.object({ ...amount, reason, operatorId: subjectId.optional() }),
  'payment.voided': z.object({ intentId: intentId.nullable() }),
  'payment.cash_settled': z.object({ ...amount, ...split }),
  'payment.tip_charged': z.object({ intentId, tipMinor: minor, currency, driverId: subjectId.nullable() }),
  'payment.extra_charged': z.object({
    intentId,
    ...amount,
    ...split,
    reason,
    operatorId: subjectId.optional(),
  }),
  'payment.refunded': z.object({
    refundId: z.string(),
    ...amount,
    reason,
    intentId: intentId.optional().describe('what was refunded; the capture where it is not said'),
    operatorId: subjectId.optional(),
    refundKey: z.string().optional().describe("a hash of the caller's key, where the API was asked"),
    leftMinor: minor.optional().describe('what was still to go back for that key'),
  }),
  'payment.refund_failed': z.object({ refundId: z.string(), intentId, ...amount, reason }),
  'payment.refund_settled': z.object({ ...amount, evidence: z.string(), operatorId: subjectId }),
} satisfies { [T in PaymentFactType]: z.ZodType<PaymentFactData[T]> };

const disputed = {
  disputeId: z.string(),
  rideId: uuid,
  intentId,
  ...amount,
  reason,
  evidenceDueAt: time,
};
const disputeEnd = {
  rideId: uuid,
  ...amount,
  feeChangeMinor: z.int().describe("what the provider's fees changed by since it was opened"),
  feeCurrency: currency.optional().describe('of the fee, where it is another one'),
};

/** The same for a dispute, by the provider's id. */
export const disputeFacts = {
  'dispute.inquiry_opened': z.object(disputed),
  'dispute.inquiry_closed': z.object({ rideId: uuid }),
  'dispute.opened': z.object({
    ...disputed,
    feeMinor: minor,
    feeCurrency: currency.optional().describe('of the fee, where it is another one'),
  }),
  'dispute.evidence_submitted': z.object({ rideId: uuid, by: subjectId, evidenceId: z.string() }),
  'dispute.won': z.object(disputeEnd),
  'dispute.lost': z.object(disputeEnd),
} satisfies { [T in DisputeFactType]: z.ZodType<DisputeFactData[T]> };

const payoutAmount = { driverId: subjectId, ...amount };

/** The same for a payout to a driver. */
export const payoutFacts = {
  'payout.started': z.object({
    payoutId: uuid,
    ...payoutAmount,
    period: z.string(),
    destination: z.string(),
  }),
  'payout.paid': z.object({ ...payoutAmount, transferId: z.string() }),
  'payout.failed': z.object({ ...payoutAmount, reason }),
  'payout.returned': z.object({ ...payoutAmount, reason }),
} satisfies { [T in PayoutFactType]: z.ZodType<PayoutFactData[T]> };

/** Where a driver's payouts go. */
export const payoutAccountFacts = {
  'payout_account.changed': z.object({
    driverId: subjectId,
    destination: z.string().describe("the provider's id of an account"),
    previousDestination: z.string().nullable(),
  }),
};

const driftKind = z
  .string()
  .describe('which two do not agree, and how; more may come') as unknown as z.ZodType<DriftKind>;
const driftIds = z.record(z.string(), z.string()).describe('what it is about, each by its name');

/** The same for a run of the reconciliation. */
export const reconciliationFacts = {
  'reconciliation.started': z.object({ runId: uuid, since: time, repairs: z.boolean() }),
  'reconciliation.drift_found': z.object({
    kind: driftKind,
    ids: driftIds,
    byMinor: z.int().optional().describe('by how much, in minor units of the currency'),
    currency: currency.optional(),
    says: z.string(),
    cause: z.string().optional(),
    action: z.string().describe('what repairs it'),
    safe: z.boolean().describe('whether the house may repair it by itself'),
  }),
  'reconciliation.drift_ended': z.object({
    kind: driftKind,
    ids: driftIds,
    since: time.describe('when it was found first'),
    repaired: z.boolean().describe('by what this run has done'),
  }),
  'reconciliation.finished': z.object({
    found: z.int().min(0).describe('those that had been told before, too'),
    repaired: z.int().min(0),
    left: z.record(z.string(), z.int()).describe('how many of each kind are left'),
    unseen: z.array(z.enum(checkNames)).describe('what could not be looked at'),
  }),
} satisfies { [T in ReconciliationFactType]: z.ZodType<ReconciliationFactData[T]> };
