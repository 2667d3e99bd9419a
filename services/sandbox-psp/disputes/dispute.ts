import { newId } from '../ids';
import { unixSeconds, type Metadata, type PaymentIntent } from '../paymentIntent';
import { invalidRequest } from '../stripeErrors';

/** `warning_…`: the bank only asks; nothing is taken back yet. */
export type DisputeStatus =
  | 'warning_needs_response'
  | 'warning_under_review'
  | 'warning_closed'
  | 'needs_response'
  | 'under_review'
  | 'won'
  | 'lost';
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
 * The bank takes `amount` of a captured intent back (all that is left of it by default), or asks about it.
 * @throws StripeError when nothing of it is left to take
 */
export function openDispute(
  intent: PaymentIntent,
  order: { reason?: DisputeReason; amount?: number; inquiry?: boolean; left: number },
  at: Date,
): Dispute {
  const { reason = 'fraudulent', amount, inquiry = false, left } = order;
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
    changes: inquiry ? [] : [change('dispute', -taken, disputeFeeMinor, at)],
    charge: intent.latest_charge,
    created: unixSeconds(at),
    currency: intent.currency,
    due_by: unixSeconds(new Date(at.getTime() + evidenceHeardForMs)),
    evidence: {},
    metadata: {},
    payment_intent: intent.id,
    reason,
    status: inquiry ? 'warning_needs_response' : 'needs_response',
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

const afterEvidence: Readonly<Partial<Record<DisputeStatus, DisputeStatus>>> = {
  needs_response: 'under_review',
  warning_needs_response: 'warning_under_review',
};

const isInquiry = ({ status }: Dispute): boolean => status.startsWith('warning_');
export const isClosed = ({ status }: Dispute): boolean =>
  status === 'won' || status === 'lost' || status === 'warning_closed';
/** Whether the money is the bank's, for now or for good. */
export const isTaken = (dispute: Dispute): boolean => dispute.status !== 'won' && !isInquiry(dispute);
export const waitsForEvidence = ({ status }: Dispute): boolean => afterEvidence[status] !== undefined;

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
  const submittedStatus = afterEvidence[dispute.status];
  if (changesEvidence && submittedStatus === undefined)
    throw invalidRequest(
      isClosed(dispute)
        ? 'This dispute is already closed.'
        : 'The evidence for this dispute has already been submitted.',
    );
  const kept: Dispute = {
    ...dispute,
    evidence: { ...dispute.evidence, ...evidence },
    metadata: { ...dispute.metadata, ...metadata },
  };
  if (!submit || !changesEvidence || submittedStatus === undefined) return kept;
  const submitted: Dispute = { ...kept, status: submittedStatus, submissions: kept.submissions + 1 };
  const verdict = verdicts[kept.evidence['uncategorized_text'] ?? ''];
  return verdict === undefined ? submitted : closeDispute(submitted, verdict, at);
}

/**
 * The bank decides, or, with `lost`, we give in: POST …/close. Won, the amount comes back, without the fee. An inquiry
 * is over either way.
 * @throws StripeError when it is closed
 */
export function closeDispute(dispute: Dispute, verdict: 'won' | 'lost', at: Date): Dispute {
  if (isClosed(dispute)) throw invalidRequest('This dispute is already closed.');
  if (isInquiry(dispute)) return { ...dispute, status: 'warning_closed' };
  if (verdict === 'lost') return { ...dispute, status: 'lost' };
  const back = change('dispute_reversal', dispute.amount, 0, at);
  return { ...dispute, status: 'won', changes: [...dispute.changes, back] };
}

/**
 * The bank has asked, and takes the money back now: evidence is heard anew.
 * @throws StripeError when it is no inquiry that is open
 */
export function escalateInquiry(dispute: Dispute, at: Date): Dispute {
  if (!isInquiry(dispute) || isClosed(dispute)) throw invalidRequest('This dispute is no open inquiry.');
  return {
    ...dispute,
    status: 'needs_response',
    due_by: unixSeconds(new Date(at.getTime() + evidenceHeardForMs)),
    changes: [change('dispute', -dispute.amount, disputeFeeMinor, at)],
  };
}
