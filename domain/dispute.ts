import { DomainError } from './errors';

const open = ['inquiry', 'inquiry_answered', 'needs_response', 'under_review'] as const;
export const disputeStatuses = [...open, 'inquiry_closed', 'won', 'lost'] as const;

/**
 * Where a dispute stands. Of an inquiry the rider's bank only asks, and has taken nothing; of the others it has taken the
 * money back, and decides whose it is.
 */
export type DisputeStatus = (typeof disputeStatuses)[number];

/** In these the bank waits for us, or decides. */
export const openDisputeStatuses: readonly DisputeStatus[] = open;

/** The data of every fact of a dispute. contracts/facts/payments.ts holds the schema of each to this. */
export interface DisputeFactData {
  /** The bank asks about a charge. */
  'dispute.inquiry_opened': Disputed;
  /** It asks no more, and has taken nothing. */
  'dispute.inquiry_closed': { readonly rideId: string };
  /** The bank has taken money back, at once or after it has asked; then evidence is heard anew. */
  'dispute.opened': Disputed & {
    /** What the provider takes for it, in minor units of our balance's currency; `currency` unless told otherwise. */
    readonly feeMinor: number;
    readonly feeCurrency?: string;
  };
  /** `evidenceId` is made of what was submitted, which no fact holds: it may name people. */
  'dispute.evidence_submitted': { readonly rideId: string; readonly by: string; readonly evidenceId: string };
  'dispute.won': DisputeEnd;
  'dispute.lost': DisputeEnd;
}

interface Disputed {
  readonly disputeId: string;
  readonly rideId: string;
  readonly intentId: string;
  /** What it is about, in minor units of `currency`. */
  readonly amountMinor: number;
  readonly currency: string;
  /** The bank's word: `fraudulent`, `product_not_received` … */
  readonly reason: string;
  /** Until when evidence is heard, ISO 8601 in UTC. */
  readonly evidenceDueAt: string;
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

/** What the provider says of a dispute. An inquiry that was answered is one still. */
export interface DisputeSeen extends Omit<Disputed, 'disputeId'> {
  readonly stands: Exclude<DisputeStatus, 'inquiry_answered'>;
  /** All its fees so far. */
  readonly feeMinor: number;
  readonly feeCurrency?: string;
}

/** What became of evidence at the provider. */
export type Submitted = { readonly submitted: true } | { readonly submitted: false; readonly reason: string };

/** From which statuses a fact may follow. */
export const disputeTransitions: Readonly<Record<DisputeFactType, readonly (DisputeStatus | 'nothing')[]>> = {
  'dispute.inquiry_opened': ['nothing'],
  'dispute.inquiry_closed': ['inquiry', 'inquiry_answered'],
  'dispute.opened': ['nothing', 'inquiry', 'inquiry_answered', 'inquiry_closed'],
  'dispute.evidence_submitted': ['inquiry', 'needs_response'],
  'dispute.won': ['needs_response', 'under_review'],
  'dispute.lost': ['needs_response', 'under_review'],
};

/** Whether a fact may be the dispute's next one. */
export const mayFollow = (dispute: Dispute | null, type: DisputeFactType): boolean =>
  disputeTransitions[type].includes(dispute?.status ?? 'nothing');

/** The dispute after a fact. Folding all of a dispute's facts from `null` rebuilds its row. */
export function foldDispute(dispute: Dispute | null, fact: DisputeFact): Dispute {
  if (!mayFollow(dispute, fact.type))
    throw new Error(`impossible: ${fact.type} on a dispute that is ${dispute?.status ?? 'nothing'}`);
  const version = (dispute?.version ?? 0) + 1;
  const begins = { version, evidenceId: null, openedAt: fact.at, closedAt: null };
  if (fact.type === 'dispute.opened') return { ...fact.data, ...begins, status: 'needs_response' };
  if (fact.type === 'dispute.inquiry_opened')
    return { ...fact.data, ...begins, feeMinor: 0, status: 'inquiry' };
  if (dispute === null) throw new Error(`impossible: ${fact.type} before dispute.opened`);
  if (fact.type !== 'dispute.evidence_submitted')
    return { ...dispute, version, status: closedAs[fact.type], closedAt: fact.at };
  const heard = dispute.status === 'inquiry' ? 'inquiry_answered' : 'under_review';
  return { ...dispute, version, status: heard, evidenceId: fact.data.evidenceId };
}

const closedAs = {
  'dispute.inquiry_closed': 'inquiry_closed',
  'dispute.won': 'won',
  'dispute.lost': 'lost',
} as const;

/** One step a fact: the activity by which a dispute's workflow records it. */
export const disputeSteps = {
  'dispute.inquiry_opened': 'openInquiry',
  'dispute.inquiry_closed': 'recordInquiryClosed',
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
