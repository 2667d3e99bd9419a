import type Stripe from 'stripe';
import type { DisputeSeen, Submitted } from '../../../domain/dispute';
import { fromProvider } from './amounts';
import { evidenceText, paymentOfIntent } from '../books/disputeStore';
import { idOf, orNull, refusalReason, withIdempotencyKey, type ProviderAccess } from './client';

const stands: Readonly<Partial<Record<Stripe.Dispute.Status, DisputeSeen['stands']>>> = {
  warning_needs_response: 'inquiry',
  warning_under_review: 'inquiry',
  warning_closed: 'inquiry_closed',
  prevented: 'inquiry_closed',
  needs_response: 'needs_response',
  won: 'won',
  lost: 'lost',
};

/** What Stripe calls it, as we do; an appeal goes on as the dispute does. What has no name here is not decided yet. */
export const standsOf = ({ status }: Stripe.Dispute): DisputeSeen['stands'] =>
  stands[status] ?? 'under_review';

/** A dispute as the provider has it; null where it has none, or it is about a payment of somebody else's. */
export async function readDispute(
  { pool, client }: ProviderAccess,
  disputeId: string,
): Promise<DisputeSeen | null> {
  const dispute = await orNull(client.disputes.retrieve(disputeId));
  if (dispute === null) return null;
  const intentId = idOf(dispute.payment_intent);
  const rideId = intentId === undefined ? null : await paymentOfIntent(pool, intentId);
  if (intentId === undefined || rideId === null) return null;
  const currency = dispute.currency.toUpperCase();
  const charged = dispute.balance_transactions.filter(({ fee }) => fee !== 0);
  const fees = charged.reduce((sum, { fee }) => sum + fee, 0);
  // In the currency of our balance, which is the same for all of them.
  const feeCurrency = (charged[0]?.currency ?? dispute.currency).toUpperCase();
  // Without a deadline nothing is heard: it is over as it begins.
  const evidenceDueAt = dispute.evidence_details.due_by ?? dispute.created;
  return {
    rideId,
    intentId,
    stands: standsOf(dispute),
    amountMinor: fromProvider(dispute.amount, currency),
    currency,
    feeMinor: fromProvider(fees, feeCurrency),
    feeCurrency,
    reason: dispute.reason,
    evidenceDueAt: new Date(evidenceDueAt * 1_000).toISOString(),
  };
}

/**
 * Tells the bank what was stored as this evidence, once, however often it is called. The dispute is looked at first:
 * evidence whose answer was lost shows there, and so does what somebody else has submitted by hand.
 * @throws whatever leaves the outcome unknown: call again
 */
export async function submitEvidence(
  access: ProviderAccess,
  order: { readonly rideId: string; readonly disputeId: string; readonly evidenceId: string },
): Promise<Submitted> {
  const { rideId, disputeId, evidenceId } = order;
  const text = await evidenceText(access.pool, disputeId, evidenceId);
  if (text === null) return { submitted: false, reason: 'No such evidence is stored.' };
  try {
    const { status, evidence, evidence_details: details } = await access.client.disputes.retrieve(disputeId);
    // Who has answered an inquiry is heard anew when it becomes a dispute.
    if (!status.endsWith('needs_response') && details.submission_count > 0) {
      if (evidence.uncategorized_text === text) return { submitted: true };
      return { submitted: false, reason: 'Other evidence was submitted before.' };
    }
    await withIdempotencyKey(
      access,
      `${rideId}/evidence/${disputeId}/${status}/${evidenceId}`,
      (idempotencyKey) =>
        access.client.disputes.update(
          disputeId,
          { evidence: { uncategorized_text: text }, submit: true },
          { idempotencyKey },
        ),
    );
    return { submitted: true };
  } catch (error) {
    const reason = refusalReason(error);
    if (reason === undefined) throw error;
    return { submitted: false, reason };
  }
}
