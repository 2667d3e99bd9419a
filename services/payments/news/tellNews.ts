import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import {
  disputeWorkflowId,
  isOfRefund,
  lateRefundsWorkflowId,
  paymentWorkflowId,
  payoutWorkflowId,
  providerNews,
  taskQueues,
  workflowTypes,
} from '../../../domain/names';
import type { Policies } from '../../../domain/policies';
import type { DisputeStart, LateRefundsStart, PayoutStart, ProviderNews } from '../../../domain/sagas';
import { DependencyUnavailable } from '../../../platform/errors';
import type { Pool } from '../../../platform/postgres';
import type { KeptEvent } from './providerEvents';
import { canUse, type ReadNews } from './readNews';
import { getPayment } from '../books/paymentStore';

export interface TellNewsOptions {
  readonly pool: Pool;
  readonly temporal: Client;
  readonly policies: Policies;
  /** How long Temporal may take, in milliseconds. */
  readonly deadlineMs: number;
}

/**
 * Tells the workflow that can use it, which looks at the provider then. May be told twice.
 * @returns the workflow's id; null where nobody can use it
 * @throws DependencyUnavailable where Temporal does not answer
 */
export type TellNews = (read: ReadNews, kept: KeptEvent) => Promise<string | null>;

export function createTellNews({ pool, temporal, policies, deadlineMs }: TellNewsOptions): TellNews {
  const within = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await temporal.withDeadline(Date.now() + deadlineMs, call);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw error;
      throw new DependencyUnavailable('the workflow that waits for it', { cause: error });
    }
  };
  /** Where the workflow is over, news begins it anew: it looks, and ends. */
  const startWith = async (
    type: 'dispute' | 'payout' | 'lateRefunds',
    workflowId: string,
    start: DisputeStart | PayoutStart | LateRefundsStart,
    news: ProviderNews,
  ): Promise<string> => {
    await within(() =>
      temporal.workflow.signalWithStart(workflowTypes[type], {
        workflowId,
        taskQueue: taskQueues.payments,
        args: [start],
        signal: providerNews,
        signalArgs: [news],
      }),
    );
    return workflowId;
  };

  return async ({ news, about }, { rideId }) => {
    switch (about.about) {
      case 'payment': {
        const payment = rideId === null ? null : await getPayment(pool, rideId);
        if (payment === null || !canUse(payment, news)) return null;
        const { rideId: paymentId } = payment;
        const workflowId = paymentWorkflowId(paymentId);
        try {
          await within(() => temporal.workflow.getHandle(workflowId).signal(providerNews, news));
          return workflowId;
        } catch (error) {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
          if (!isOfRefund(news)) return null;
          const start = { rideId: paymentId, policies };
          return startWith('lateRefunds', lateRefundsWorkflowId(paymentId), start, news);
        }
      }
      case 'dispute': {
        // Of a charge that is none of ours: an account may serve others, too.
        if (rideId === null) return null;
        const { disputeId } = about;
        return startWith('dispute', disputeWorkflowId(disputeId), { disputeId, policies }, news);
      }
      case 'payout': {
        const { payoutId } = about;
        return startWith('payout', payoutWorkflowId(payoutId), { payoutId, policies, due: null }, news);
      }
    }
  };
}
