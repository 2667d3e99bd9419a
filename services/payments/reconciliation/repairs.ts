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
import type {
  DisputeStart,
  LateRefundsStart,
  PaymentStart,
  PayoutStart,
  ProviderNews,
} from '../../../domain/sagas';
import type { Pool } from '../../../platform/postgres';
import type { ProviderClient } from '../provider/client';
import { getPayment } from '../books/paymentStore';
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
      const start: LateRefundsStart = { rideId, policies: house.policies };
      return begin(house, 'lateRefunds', lateRefundsWorkflowId(rideId), start, news(refundId));
    }
    case 'tell_dispute': {
      const { disputeId } = repair;
      const start: DisputeStart = { disputeId, policies: house.policies };
      return begin(house, 'dispute', disputeWorkflowId(disputeId), start, news(disputeId));
    }
    case 'tell_payout': {
      const { payoutId, objectId } = repair;
      const start: PayoutStart = { payoutId, policies: house.policies, due: null };
      return begin(house, 'payout', payoutWorkflowId(payoutId), start, news(objectId));
    }
    case 'start_payment':
      return startPayment(house, repair.rideId);
    case 'cancel_hold':
      return cancelHold(house, repair);
  }
}

async function tell({ temporal }: House, workflowId: string, news: ProviderNews): Promise<string> {
  try {
    await temporal.workflow.getHandle(workflowId).signal(providerNews, news);
    return 'its workflow was told to look';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'its workflow is over: there is nobody to tell';
    throw error;
  }
}

/** Where it is over, it is begun anew: it looks, and ends. */
async function begin(
  { temporal, taskQueue }: House,
  type: 'dispute' | 'payout' | 'lateRefunds',
  workflowId: string,
  start: DisputeStart | PayoutStart | LateRefundsStart,
  news: ProviderNews,
): Promise<string> {
  await temporal.workflow.signalWithStart(workflowTypes[type], {
    workflowId,
    taskQueue,
    args: [start],
    signal: providerNews,
    signalArgs: [news],
  });
  return 'its workflow was told to look';
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
