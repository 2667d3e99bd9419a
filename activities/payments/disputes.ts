import {
  disputeSteps,
  foldDispute,
  type Dispute,
  type DisputeFact,
  type DisputeFactType,
  type DisputeSeen,
  type EvidenceOrder,
  type Submitted,
} from '../../domain/dispute';
import { disputeEntries } from '../../domain/ledger';
import type { Recorded, Step } from '../../domain/sagas';
import { readDispute, submitEvidence } from '../../services/payments/provider/disputes';
import { getDispute, lockDispute, putDispute } from '../../services/payments/books/disputeStore';
import { book } from '../../services/payments/books/ledger';
import { createRecordTransition } from '../outbox';
import { askingProvider, type PaymentActivityOptions } from '../payments';

type DisputeStep = (typeof disputeSteps)[DisputeFactType];

/** One activity a fact: the fact, the row and the booking in one transaction. */
export type DisputeTransitions = Record<DisputeStep, (step: Step<DisputeFact>) => Promise<Recorded<Dispute>>>;

export type DisputeReads = {
  /** The dispute as committed, or null before it was opened. */
  committedDispute(disputeId: string): Promise<Dispute | null>;
};

/** What is asked of the provider about a dispute. Each is safe to repeat: it happens once. */
export type DisputeProvider = {
  /** Null where the dispute is none of ours. */
  readDispute(disputeId: string): Promise<DisputeSeen | null>;
  submitEvidence(order: EvidenceOrder & { rideId: string; disputeId: string }): Promise<Submitted>;
};

/** Everything that a dispute's workflow does outside of itself. */
export function createDisputeActivities({
  pool,
  provider,
  vault,
  topicPrefix,
}: PaymentActivityOptions): DisputeTransitions & DisputeReads & DisputeProvider {
  const access = { pool, client: provider };
  const record = createRecordTransition<Dispute, DisputeFact>({
    pool,
    vault,
    source: '/hailway/payments',
    belongsTo: ({ rideId }) => rideId,
    ...(topicPrefix === undefined ? {} : { topicPrefix }),
    aggregate: {
      lock: lockDispute,
      fold: foldDispute,
      save: async (tx, { after, fact, stepId }) => {
        await putDispute(tx, after);
        await book(tx, {
          stepId,
          paymentId: after.rideId,
          kind: fact.type,
          recordedAt: fact.at,
          entries: disputeEntries(fact),
        });
      },
    },
  });
  return {
    ...(Object.fromEntries(Object.values(disputeSteps).map((step) => [step, record])) as DisputeTransitions),
    committedDispute: (disputeId) => getDispute(pool, disputeId),
    readDispute: (disputeId) => askingProvider(() => readDispute(access, disputeId)),
    submitEvidence: (order) => askingProvider(() => submitEvidence(access, order)),
  };
}
