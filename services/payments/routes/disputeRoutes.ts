import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { operations } from '../../../contracts/api/operations';
import type { DisputeView } from '../../../contracts/api/payouts';
import { isSubmitted, openDisputeStatuses, type Dispute, type EvidenceOrder } from '../../../domain/dispute';
import { DomainError } from '../../../domain/errors';
import { disputeUpdates, disputeWorkflowId } from '../../../domain/names';
import type { MountOperation } from '../../../platform/http';
import { evidenceIdOf, getDispute, listDisputes, storeEvidence } from '../books/disputeStore';
import { answerOrRefusal, outcomeOf } from './askPayment';

export interface DisputeRoutesOptions {
  /** Of the payments database. */
  readonly payments: Pool;
  readonly temporal: Client;
  /** How long a dispute may take to answer until the caller is told to repeat, in milliseconds. */
  readonly deadlineMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What operators see of disputes, and what they say in them. */
export function disputeRoutes(mount: MountOperation, options: DisputeRoutesOptions): void {
  const { payments, now } = options;

  mount(operations.listDisputes, async ({ query: { status, limit } }) => {
    const statuses = status === undefined ? openDisputeStatuses : [status];
    const disputes = await listDisputes(payments, { statuses, limit });
    return { status: 200, body: { disputes: disputes.map(viewDispute) } };
  });

  mount(operations.submitEvidence, async ({ params: { disputeId }, body: { text }, caller }) => {
    const dispute = await getDispute(payments, disputeId);
    if (dispute === null) throw new DomainError('dispute_not_found', 'There is no such dispute.');
    const evidenceId = evidenceIdOf(disputeId, text);
    // What the committed dispute refuses is not sent on.
    if (isSubmitted(dispute, evidenceId, new Date(now()).toISOString()))
      return { status: 200, body: viewDispute(dispute) };
    await storeEvidence(payments, { disputeId, evidenceId, text });
    const after = await submit(options, disputeId, { evidenceId, by: caller.sub });
    return { status: 200, body: viewDispute(after) };
  });
}

async function submit(
  options: DisputeRoutesOptions,
  disputeId: string,
  order: EvidenceOrder,
): Promise<Dispute> {
  const handle = options.temporal.workflow.getHandle(disputeWorkflowId(disputeId));
  const asked = await outcomeOf(
    options,
    () => handle.executeUpdate<Dispute, [EvidenceOrder]>(disputeUpdates.submitEvidence, { args: [order] }),
    'dispute',
  );
  if (asked === undefined)
    throw new DomainError('evidence_not_possible', 'The dispute is over, or its workflow was ended.');
  return answerOrRefusal(asked);
}

function viewDispute(dispute: Dispute): DisputeView {
  const { disputeId, rideId, intentId, status, reason, amountMinor, currency } = dispute;
  const { feeMinor, feeCurrency = currency, evidenceDueAt, evidenceId, openedAt, closedAt } = dispute;
  return {
    ...{ disputeId, rideId, intentId, workflowId: disputeWorkflowId(disputeId), status },
    ...{ amountMinor, currency, feeMinor, feeCurrency },
    ...{ reason, evidenceDueAt, hasEvidence: evidenceId !== null, openedAt, closedAt },
  };
}
