import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { ReconciliationOrder } from '../../../domain/reconcile';
import {
  disputeWorkflowId,
  lateRefundsWorkflowId,
  paymentWorkflowId,
  payoutWorkflowId,
  providerNews,
  rideWorkflowId,
  searchAttributes,
  workflowTypes,
} from '../../../domain/names';
import { paymentInOrder } from '../../../domain/paymentNeeds';
import type { PaymentOrder } from '../../../domain/paymentFacts';
import type { Policies } from '../../../domain/policies';
import type { Repair } from '../../../domain/reconciliation';
import type { PaymentStart, ProviderNews } from '../../../domain/sagas';
import type { Pool } from '../../../platform/postgres';
import type { ProviderClient } from '../provider/client';
import { getPayment } from '../books/paymentStore';
import { beginByNews, type BegunByNews } from '../news/beginByNews';
import { mayStartAnew } from './lostPayment';
import { usesNoHold } from './money';
import { stepsOfAll } from './pages';
import type { WorkflowView } from './workflowView';

export interface House {
  readonly pool: Pool;
  readonly client: ProviderClient;
  readonly temporal: Client;
  readonly workflows: WorkflowView;
  /** Of our payments’ workflows. */
  readonly taskQueue: string;
  readonly policies: Policies;
}

/**
 * Does what is safe: each looks first whether it still is, since the house has gone on meanwhile. None of them books.
 * @returns in words what came of it
 */
export async function doRepair(
  house: House,
  repair: Repair,
  { runId }: ReconciliationOrder,
): Promise<string> {
  const news = (objectId: string): ProviderNews => ({
    eventId: `reconciliation/${runId}`,
    type: 'reconciliation',
    objectId,
  });
  switch (repair.does) {
    case 'tell_workflow':
      return tell(house, repair.workflowId, news(repair.objectId));
    case 'tell_refunds': {
      const { rideId, refundId } = repair;
      const isOpen = (await house.workflows.look(paymentWorkflowId(rideId)))?.isRunning;
      if (isOpen) return tell(house, paymentWorkflowId(rideId), news(refundId));
      const start = { rideId, policies: house.policies };
      const begun = { type: 'lateRefunds', workflowId: lateRefundsWorkflowId(rideId), start } as const;
      return begin(house, begun, news(refundId));
    }
    case 'tell_dispute': {
      const { disputeId } = repair;
      const start = { disputeId, policies: house.policies };
      const begun = { type: 'dispute', workflowId: disputeWorkflowId(disputeId), start } as const;
      return begin(house, begun, news(disputeId));
    }
    case 'tell_payout': {
      const { payoutId, objectId } = repair;
      const start = { payoutId, policies: house.policies, due: null };
      const begun = { type: 'payout', workflowId: payoutWorkflowId(payoutId), start } as const;
      return begin(house, begun, news(objectId));
    }
    case 'start_payment':
      return startPayment(house, repair.rideId);
    case 'cancel_hold':
      return cancelHold(house, repair);
  }
}

const TOLD = 'its workflow was told to look';

async function tell({ temporal }: House, workflowId: string, news: ProviderNews): Promise<string> {
  try {
    await temporal.workflow.getHandle(workflowId).signal(providerNews, news);
    return TOLD;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'its workflow is over: there is nobody to tell';
    throw error;
  }
}

async function begin(
  { temporal, taskQueue }: House,
  begun: BegunByNews,
  news: ProviderNews,
): Promise<string> {
  await beginByNews(temporal, begun, { news, taskQueue });
  return TOLD;
}

async function startPayment(house: House, rideId: string): Promise<string> {
  const { pool, temporal, workflows, taskQueue, policies } = house;
  const [payment, ride] = [await getPayment(pool, rideId), await workflows.look(rideWorkflowId(rideId))];
  if (payment === null || !(await mayStartAnew(pool, payment))) return 'not started: it has gone on';
  if (!ride?.isRunning) return 'not started: its ride is over';
  const [opened] = (await stepsOfAll(pool, [rideId])).get(rideId) ?? [];
  if (opened?.fact.type !== 'payment.opened') return 'not started: its first fact is gone';
  const start: PaymentStart = {
    order: opened.fact.data as unknown as PaymentOrder,
    policies,
    rideWorkflowId: rideWorkflowId(rideId),
  };
  await temporal.workflow.start(workflowTypes.payment, {
    workflowId: paymentWorkflowId(rideId),
    taskQueue,
    typedSearchAttributes: [{ key: searchAttributes.status, value: paymentInOrder }],
    args: [start],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });
  return 'its workflow was started anew';
}

async function cancelHold(
  { pool, client }: House,
  { rideId, intentId }: { readonly rideId: string; readonly intentId: string },
): Promise<string> {
  const payment = await getPayment(pool, rideId);
  if (payment === null || !usesNoHold(payment)) return 'not released: the payment may need it';
  const { status } = await client.paymentIntents.retrieve(intentId);
  if (status !== 'requires_capture' && status !== 'requires_action')
    return `not released: the intent is ${status} by now`;
  await client.paymentIntents.cancel(intentId, {}, { idempotencyKey: `${rideId}/reconcile/${intentId}` });
  return 'the hold was released';
}
