import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import {
  disputeWorkflowId,
  isOfRefund,
  lateRefundsWorkflowId,
  paymentWorkflowId,
  payoutWorkflowId,
  providerNews,
  taskQueues,
} from '../../../domain/names';
import type { Policies } from '../../../domain/policies';
import type { ProviderNews } from '../../../domain/sagas';
import { DependencyUnavailable } from '../../../platform/errors';
import type { Pool } from '../../../platform/postgres';
import { beginByNews, type BegunByNews } from './beginByNews';
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
  const begin = (begun: BegunByNews, news: ProviderNews): Promise<string> =>
    within(() => beginByNews(temporal, begun, { news, taskQueue: taskQueues.payments }));

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
          return begin({ type: 'lateRefunds', workflowId: lateRefundsWorkflowId(paymentId), start }, news);
        }
      }
      case 'dispute': {
        // Of a charge that is none of ours: an account may serve others, too.
        if (rideId === null) return null;
        const { disputeId } = about;
        const start = { disputeId, policies };
        return begin({ type: 'dispute', workflowId: disputeWorkflowId(disputeId), start }, news);
      }
      case 'payout': {
        const { payoutId } = about;
        const start = { payoutId, policies, due: null };
        return begin({ type: 'payout', workflowId: payoutWorkflowId(payoutId), start }, news);
      }
    }
  };
}
