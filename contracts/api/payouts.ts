import { z } from 'zod';
import { hasCardNumber } from '../../domain/cardNumber';
import { disputeStatuses } from '../../domain/dispute';
import { currency, freeText, minor, time } from '../shared';

/** A payout as its driver sees it. */
const payoutView = z.strictObject({
  payoutId: z.uuid(),
  period: z.string().describe('the week of the batch, ISO 8601: `2026-W09`'),
  amountMinor: minor,
  currency,
  status: z.enum(['started', 'paid', 'failed', 'returned']),
  returnedMinor: minor.describe('what came back of it, and is in the balance again'),
  destination: z.string(),
  reason: z.string().nullable(),
});

/** An account that the provider has made, by its id: no number of a card or an account at a bank comes here. */
export const payoutAccountBody = z.strictObject({
  destination: z
    .string()
    .regex(/^acct_[A-Za-z0-9]{8,64}$/, "the provider's id of an account: acct_…")
    .refine((id) => !hasCardNumber(id), 'no card numbers'),
});

export const payoutAccountView = payoutAccountBody;

/** What a driver has earned and not been paid yet, and the payouts so far. */
export const earningsView = z.strictObject({
  balances: z.array(
    z.strictObject({
      currency,
      amountMinor: z.int().describe('less than 0 where the driver owes the house: it is carried on'),
      payoutMinimumMinor: minor.describe('so much is paid out at least: less is carried on'),
    }),
  ),
  payoutAccount: z.string().nullable(),
  payouts: z.array(payoutView).describe('the newest first, at most 52'),
});

const disputeStatus = z.enum(disputeStatuses);

export const disputesQuery = z.strictObject({
  status: disputeStatus.optional().describe('those that are open unless told otherwise'),
  limit: z.coerce.number().int().min(1).max(200).default(100),
});

export const disputeView = z.strictObject({
  disputeId: z.string(),
  rideId: z.uuid(),
  intentId: z.string(),
  workflowId: z.string(),
  status: disputeStatus,
  amountMinor: minor,
  feeMinor: minor,
  feeCurrency: currency,
  currency,
  reason: z.string(),
  evidenceDueAt: time,
  hasEvidence: z.boolean(),
  openedAt: time,
  closedAt: time.nullable(),
});

export const disputesView = z.strictObject({ disputes: z.array(disputeView) });

export const evidenceBody = z.strictObject({
  text: freeText(5_000).describe('free text: what the bank is told; no card numbers'),
});

export type EarningsView = z.infer<typeof earningsView>;
export type DisputeView = z.infer<typeof disputeView>;
