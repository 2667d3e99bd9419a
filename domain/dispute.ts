/** Where a dispute stands: the rider's bank has taken the money back, and decides whose it is. */
export type DisputeStatus = 'needs_response' | 'under_review' | 'won' | 'lost';

/** The data of every fact of a dispute. contracts/facts/payments.ts holds the schema of each to this. */
export interface DisputeFactData {
  'dispute.opened': {
    readonly disputeId: string;
    readonly rideId: string;
    readonly intentId: string;
    /** What the bank took back, in minor units of `currency`, and what the provider takes for it. */
    readonly amountMinor: number;
    readonly feeMinor: number;
    readonly currency: string;
    /** The bank's word: `fraudulent`, `product_not_received` … */
    readonly reason: string;
    /** Until when evidence is heard, ISO 8601 in UTC. */
    readonly evidenceDueAt: string;
  };
  'dispute.evidence_submitted': { readonly rideId: string; readonly by: string };
  'dispute.won': { readonly rideId: string; readonly amountMinor: number; readonly currency: string };
  'dispute.lost': { readonly rideId: string; readonly amountMinor: number; readonly currency: string };
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
  readonly openedAt: string;
  readonly closedAt: string | null;
};

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
    return { ...fact.data, version: 1, status: 'needs_response', openedAt: fact.at, closedAt: null };
  if (dispute === null) throw new Error(`impossible: ${fact.type} before dispute.opened`);
  const version = dispute.version + 1;
  if (fact.type === 'dispute.evidence_submitted') return { ...dispute, version, status: 'under_review' };
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
