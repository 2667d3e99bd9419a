import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  patched,
  setHandler,
} from '@temporalio/workflow';
import type { DisputeProvider } from '../activities/payments/disputes';
import {
  disputeSteps,
  isSubmitted,
  mayFollow,
  type Dispute,
  type DisputeFactData,
  type DisputeSeen,
  type DisputeStatus,
  type EvidenceOrder,
} from '../domain/dispute';
import { DomainError } from '../domain/errors';
import { money } from '../domain/money';
import { disputeUpdates, providerNews } from '../domain/names';
import type { DisputeStart, ProviderNews } from '../domain/sagas';
import { FactRecord } from './factRecord';
import { createLock } from './lock';
import { now } from './now';
import { asRefusal, refusing } from './refusal';
import { SagaView, type Subject } from './sagaView';
import { untilAnswered } from './untilAnswered';
import { requireShape } from './updateArguments';
import { autoUpgrade } from './versioning';

/**
 * A rider's bank has taken money back, or asks about it: evidence is heard until the deadline, and the bank decides.
 * That takes months, so it is not pinned to a version: its code may change only with `patched()`.
 * @returns how it ended; `no_dispute` where it is about no payment of this house
 */
export async function dispute({ disputeId, policies }: DisputeStart): Promise<DisputeStatus | 'no_dispute'> {
  const subject = { where: 'not begun', version: 0, about: `dispute \`${disputeId}\`` };
  const view = new SagaView(policies, subject, shown);
  const provider = untilAnswered<DisputeProvider>(view);
  const record = new FactRecord<Dispute, DisputeFactData>(
    { id: disputeId, steps: disputeSteps, committed: 'committedDispute', mayFollow },
    view,
  );
  // What is seen at the provider and what is said to it are recorded one after another.
  const oneAtATime = createLock();
  let hasNews = false;
  let isOver = false;
  setHandler(defineSignal<[ProviderNews]>(providerNews), () => void (hasNews = true));
  setHandler(defineUpdate<Dispute, [EvidenceOrder]>(disputeUpdates.submitEvidence), submit, {
    validator: (order: EvidenceOrder) => {
      requireShape(disputeUpdates.submitEvidence, { evidenceId: 'id', by: 'person' }, order);
      if (record.state !== null) refusing(() => isSubmitted(record.state!, order.evidenceId, now()));
    },
    description: 'Tells the bank what is stored as this evidence, once, before the deadline',
  });

  await record.load();
  for (;;) {
    hasNews = false;
    const seen = await oneAtATime(async () => {
      const looked = await provider.readDispute('See where the dispute stands', disputeId);
      if (looked !== null) await follow(looked);
      return looked;
    });
    isOver = seen === null || seen.stands === 'inquiry_closed' || (record.state?.closedAt ?? null) !== null;
    if (isOver) break;
    await newsOrTime();
  }
  view.waits('nothing: the dispute is over');
  await condition(allHandlersFinished);
  return record.state?.status ?? 'no_dispute';

  async function follow(seen: DisputeSeen): Promise<void> {
    const { stands, feeMinor, feeCurrency = seen.currency, ...terms } = seen;
    if (stands === 'inquiry') {
      // One that began before inquiries were kept is kept by the next look that is no replay.
      if (record.state === null && patched('keep-inquiry'))
        await record.add('dispute.inquiry_opened', { disputeId, ...terms });
      return;
    }
    if (stands === 'inquiry_closed') {
      if (!mayFollow(record.state, 'dispute.inquiry_closed')) return;
      await record.add('dispute.inquiry_closed', { rideId: seen.rideId });
      return;
    }
    if (mayFollow(record.state, 'dispute.opened'))
      await record.add('dispute.opened', { disputeId, ...terms, feeMinor, feeCurrency });
    if (record.state === null || record.state.closedAt !== null) return;
    if (stands !== 'won' && stands !== 'lost') return;
    const { rideId, amountMinor, currency } = record.state;
    const feeChangeMinor = feeMinor - record.state.feeMinor;
    await record.add(stands === 'won' ? 'dispute.won' : 'dispute.lost', {
      ...{ rideId, amountMinor, currency, feeChangeMinor, feeCurrency },
    });
  }

  /** The provider tells, unless its news is lost: so it is looked at now and then. */
  async function newsOrTime(): Promise<void> {
    const { state } = record;
    const isAsked = state?.status === 'needs_response' || state?.status === 'inquiry';
    const dueInMs = isAsked ? Date.parse(state.evidenceDueAt) - Date.now() : 0;
    if (dueInMs > 0) view.waits(`evidence, until ${state!.evidenceDueAt}`, evidenceByOperator);
    else view.waits("the bank's decision");
    const lookMs = dueInMs > 0 ? Math.min(policies.disputeLookMs, dueInMs) : policies.disputeLookMs;
    await condition(() => hasNews, lookMs, { summary: 'look at the dispute' });
  }

  /** To its end, whoever cancels: what the bank has heard is recorded. */
  async function submit({ evidenceId, by }: EvidenceOrder): Promise<Dispute> {
    try {
      await condition(() => record.state !== null || isOver);
      return await CancellationScope.nonCancellable(() =>
        oneAtATime(async () => {
          if (record.state === null)
            throw new DomainError('dispute_not_found', 'The provider has no such dispute of ours.');
          if (isSubmitted(record.state, evidenceId, now())) return record.state;
          const { rideId, status, evidenceDueAt } = record.state;
          const order = { rideId, disputeId, evidenceId, by };
          const answer = await provider.submitEvidence('Submit the evidence', order);
          if (!answer.submitted)
            throw new DomainError('evidence_not_possible', answer.reason, {
              disputeStatus: status,
              evidenceDueAt,
            });
          return record.add('dispute.evidence_submitted', { rideId, by, evidenceId });
        }),
      );
    } catch (error) {
      throw asRefusal(error);
    }
  }
}
autoUpgrade(dispute);

const evidenceByOperator = 'submit evidence: POST /v1/ops/disputes/:id/evidence';

function shown({ status, version, rideId, amountMinor, currency, reason, ...fees }: Dispute): Subject {
  const { feeMinor, feeCurrency = currency } = fees;
  const fee = feeMinor === 0 ? '' : `, and a fee of ${money(feeMinor, feeCurrency)}`;
  return {
    where: status,
    version,
    about: `${money(amountMinor, currency)} of ride \`${rideId}\`: ${reason}${fee}`,
  };
}
