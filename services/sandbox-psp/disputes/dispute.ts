import { newId } from '../ids';
import { unixSeconds, type Metadata, type PaymentIntent } from '../paymentIntent';
import { invalidRequest } from '../stripeErrors';

export type DisputeStatus = 'needs_response' | 'under_review' | 'won' | 'lost';
export type DisputeReason = 'fraudulent' | 'product_not_received' | 'duplicate' | 'general';

/** What a dispute did to our balance: the money that went or came back, and the fee for it. Minor units, signed. */
export interface BalanceChange {
  readonly id: string;
  readonly amount: number;
  readonly fee: number;
  readonly created: number;
  readonly kind: 'dispute' | 'dispute_reversal';
}

/** A Dispute as the sandbox keeps it (https://docs.stripe.com/api/disputes/object; `shape.ts` adds the rest). */
export interface Dispute {
  readonly id: string;
  readonly object: 'dispute';
  readonly amount: number;
  readonly changes: readonly BalanceChange[];
  readonly charge: string;
  readonly created: number;
  readonly currency: string;
  /** Unix seconds. */
  readonly due_by: number;
  readonly evidence: Readonly<Record<string, string>>;
  readonly metadata: Metadata;
  readonly payment_intent: string;
  readonly reason: DisputeReason;
  readonly status: DisputeStatus;
  readonly submissions: number;
}

/** What Stripe takes for a dispute, in minor units; it is not given back. */
export const disputeFeeMinor = 1_500;
const evidenceHeardForMs = 9 * 24 * 60 * 60 * 1_000;

/**
 * The bank takes `amount` of a captured intent back (all that is left of it by default).
 * @throws StripeError when nothing of it is left to take
 */
export function openDispute(
  intent: PaymentIntent,
  { reason = 'fraudulent', amount, left }: { reason?: DisputeReason; amount?: number; left: number },
  at: Date,
): Dispute {
  const taken = amount ?? left;
  if (intent.status !== 'succeeded' || intent.latest_charge === null || taken > left || left <= 0) {
    throw invalidRequest(`Of this PaymentIntent (${intent.id}) ${left} can be disputed.`, {
      param: 'amount',
    });
  }
  return {
    id: newId('du'),
    object: 'dispute',
    amount: taken,
    changes: [change('dispute', -taken, disputeFeeMinor, at)],
    charge: intent.latest_charge,
    created: unixSeconds(at),
    currency: intent.currency,
    due_by: unixSeconds(new Date(at.getTime() + evidenceHeardForMs)),
    evidence: {},
    metadata: {},
    payment_intent: intent.id,
    reason,
    status: 'needs_response',
    submissions: 0,
  };
}

const change = (kind: BalanceChange['kind'], amount: number, fee: number, at: Date): BalanceChange => ({
  id: newId('txn'),
  kind,
  amount,
  fee,
  created: unixSeconds(at),
});

export const isOpen = ({ status }: Dispute): boolean =>
  status === 'needs_response' || status === 'under_review';

/** Stripe's words in `uncategorized_text` that decide a test dispute at once. */
const verdicts: Readonly<Record<string, 'won' | 'lost'>> = {
  winning_evidence: 'won',
  losing_evidence: 'lost',
};

/**
 * POST /v1/disputes/:id: keeps evidence, and hands it to the bank unless `submit` is false.
 * @throws StripeError when the dispute is closed, or its evidence was handed in
 */
export function updateDispute(
  dispute: Dispute,
  params: { evidence?: Readonly<Record<string, string>>; submit?: boolean; metadata?: Metadata },
  at: Date,
): Dispute {
  const { evidence = {}, submit = true, metadata = {} } = params;
  const changesEvidence = Object.keys(evidence).length > 0;
  if (changesEvidence && dispute.status !== 'needs_response')
    throw invalidRequest(
      isOpen(dispute)
        ? 'The evidence for this dispute has already been submitted.'
        : 'This dispute is already closed.',
    );
  const kept: Dispute = {
    ...dispute,
    evidence: { ...dispute.evidence, ...evidence },
    metadata: { ...dispute.metadata, ...metadata },
  };
  if (!submit || !changesEvidence) return kept;
  const submitted: Dispute = { ...kept, status: 'under_review', submissions: kept.submissions + 1 };
  const verdict = verdicts[kept.evidence['uncategorized_text'] ?? ''];
  return verdict === undefined ? submitted : closeDispute(submitted, verdict, at);
}

/**
 * The bank decides, or, with `lost`, we give in: POST …/close. Won, the amount comes back, without the fee.
 * @throws StripeError when it is closed
 */
export function closeDispute(dispute: Dispute, verdict: 'won' | 'lost', at: Date): Dispute {
  if (!isOpen(dispute)) throw invalidRequest('This dispute is already closed.');
  return {
    ...dispute,
    status: verdict,
    changes:
      verdict === 'lost'
        ? dispute.changes
        : [...dispute.changes, change('dispute_reversal', dispute.amount, 0, at)],
  };
}
