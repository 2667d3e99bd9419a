import type { DisputeProvider } from '../../activities/payments/disputes';
import type { DisputeSeen, Submitted } from '../../domain/dispute';

/** A bank that says what the test wants. */
export interface PlayedDisputes {
  readonly activities: DisputeProvider;
  /** What the provider says of a dispute from now on. */
  now(disputeId: string, changes: Partial<DisputeSeen>): void;
  /** How often a dispute was looked at. */
  looks(disputeId: string): number;
  /** The ids of the evidence that the bank was told. */
  readonly heard: string[];
  /** Answers the next evidence in the place of the usual answer. */
  next(answer: () => Promise<Submitted>): void;
}

export function playedDisputes(): PlayedDisputes {
  const disputes = new Map<string, DisputeSeen>();
  const looked: string[] = [];
  const heard: string[] = [];
  const waiting: (() => Promise<Submitted>)[] = [];
  const evidenceDueAt = '2099-01-01T00:00:00.000Z';
  return {
    activities: {
      readDispute: (disputeId) => {
        looked.push(disputeId);
        return Promise.resolve(disputes.get(disputeId) ?? null);
      },
      submitEvidence: ({ disputeId, evidenceId }) => {
        const special = waiting.shift();
        if (special) return special();
        heard.push(evidenceId);
        const { stands, ...dispute } = disputes.get(disputeId)!;
        disputes.set(disputeId, { ...dispute, stands: stands === 'inquiry' ? stands : 'under_review' });
        return Promise.resolve({ submitted: true });
      },
    },
    now(disputeId, changes) {
      const before = disputes.get(disputeId) ?? {
        ...{
          rideId: '01890a5d-ac96-774b-bcce-b302099a8057',
          intentId: 'pi_1',
          stands: 'needs_response' as const,
        },
        ...{ amountMinor: 1_500, currency: 'USD', feeMinor: 1_500, feeCurrency: 'USD' },
        ...{ reason: 'fraudulent', evidenceDueAt },
      };
      disputes.set(disputeId, { ...before, ...changes });
    },
    looks: (disputeId) => looked.filter((one) => one === disputeId).length,
    heard,
    next: (answer) => void waiting.push(answer),
  };
}
