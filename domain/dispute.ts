import { DomainError } from './errors';

/** Where a dispute stands: the rider's bank has taken the money back, and decides whose it is. */
export type DisputeStatus = 'needs_response' | 'under_review' | 'won' | 'lost';

/** The data of every fact of a dispute. contracts/facts/payments.ts holds the schema of each to this. */
export interface DisputeFactData {
  'dispute.opened': {
    readonly disputeId: string;
    readonly rideId: string;
    readonly intentId: string;
    /** What the bank took back, in minor units of `currency`. */
    readonly amountMinor: number;
    readonly currency: string;
    /** What the provider takes for it, in minor units of our balance's currency; `currency` unless told otherwise. */
    readonly feeMinor: number;
    readonly feeCurrency?: string;
    /** The bank's word: `fraudulent`, `product_not_received` … */
    readonly reason: string;
    /** Until when evidence is heard, ISO 8601 in UTC. */
    readonly evidenceDueAt: string;
  };
  /** `evidenceId` is made of what was submitted, which no fact holds: it may name people. */
  'dispute.evidence_submitted': { readonly rideId: string; readonly by: string; readonly evidenceId: string };
  'dispute.won': DisputeEnd;
  'dispute.lost': DisputeEnd;
}

interface DisputeEnd {
  readonly rideId: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** What the provider's fees changed by since it was opened; less than 0 where they came back. */
  readonly feeChangeMinor: number;
  readonly feeCurrency?: string;
}

export type DisputeFactType = keyof DisputeFactData;

/** What happened to a dispute, and when. */
export type DisputeFact = {
  [T in DisputeFactType]: { readonly type: T; readonly at: string; readonly data: DisputeFactData[T] };
}[DisputeFactType];

/** A dispute as its facts tell it; its id is the provider's. The row in Postgres is exactly this. */
export type Dispute = DisputeFactData['dispute.opened'] & {
  readonly version: number;
  readonly status: DisputeStatus;
  readonly evidenceId: string | null;
  readonly openedAt: string;
  readonly closedAt: string | null;
};

/** What the provider says of a dispute: `inquiry` is a question of the bank's, for which no money was taken (yet). */
export interface DisputeSeen extends Omit<DisputeEnd, 'feeChangeMinor'> {
  readonly intentId: string;
  readonly stands: DisputeStatus | 'inquiry' | 'inquiry_closed';
  /** All its fees so far. */
  readonly feeMinor: number;
  readonly reason: string;
  readonly evidenceDueAt: string;
}

/** What became of evidence at the provider. */
export type Submitted = { readonly submitted: true } | { readonly submitted: false; readonly reason: string };

/** From which statuses a fact may follow. */
export const disputeTransitions: Readonly<Record<DisputeFactType, readonly (DisputeStatus | 'nothing')[]>> = {
  'dispute.opened': ['nothing'],
  'dispute.evidence_submitted': ['needs_response'],
  'dispute.won': ['needs_response', 'under_review'],
  'dispute.lost': ['needs_response', 'under_review'],
};

/** The dispute after a fact. Folding all of a dispute's facts from `null` rebuilds its row. */
export function foldDispute(dispute: Dispute | null, fact: DisputeFact): Dispute {
  const status = dispute?.status ?? 'nothing';
  if (!disputeTransitions[fact.type].includes(status))
    throw new Error(`impossible: ${fact.type} on a dispute that is ${status}`);
  if (fact.type === 'dispute.opened')
    return {
      ...fact.data,
      ...{ version: 1, status: 'needs_response', evidenceId: null, openedAt: fact.at, closedAt: null },
    };
  if (dispute === null) throw new Error(`impossible: ${fact.type} before dispute.opened`);
  const version = dispute.version + 1;
  if (fact.type === 'dispute.evidence_submitted')
    return { ...dispute, version, status: 'under_review', evidenceId: fact.data.evidenceId };
  const closed = fact.type === 'dispute.won' ? 'won' : 'lost';
  return { ...dispute, version, status: closed, closedAt: fact.at };
}

/** One step a fact: the activity by which a dispute's workflow records it. */
export const disputeSteps = {
  'dispute.opened': 'openDispute',
  'dispute.evidence_submitted': 'recordEvidence',
  'dispute.won': 'recordWon',
  'dispute.lost': 'recordLost',
} as const satisfies Record<DisputeFactType, string>;

/** What an operator says for us. The same `evidenceId` is the same evidence. */
export interface EvidenceOrder {
  readonly evidenceId: string;
  readonly by: string;
}

/**
 * Whether this very evidence was submitted already. The bank hears us once, until the deadline, and not when it has
 * decided.
 * @param at ISO 8601 in UTC
 * @throws DomainError `evidence_not_possible` for anything that it will not hear
 */
export function isSubmitted(dispute: Dispute, evidenceId: string, at: string): boolean {
  if (dispute.evidenceId === evidenceId) return true;
  const { status, evidenceDueAt } = dispute;
  const refuse = (why: string): never => {
    throw new DomainError('evidence_not_possible', why, { disputeStatus: status, evidenceDueAt });
  };
  if (dispute.closedAt !== null) return refuse('The bank has decided.');
  if (dispute.evidenceId !== null) return refuse('Evidence was submitted before: it is heard once.');
  if (at >= evidenceDueAt) return refuse('The time for evidence is over.');
  return false;
}
