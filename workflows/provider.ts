import {
  ActivityCancellationType,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { ActivityInterfaceFor } from '@temporalio/workflow';
import type { ProviderActivities } from '../activities/payments';
import { refusalIn } from './steps';

/** Calls that leave the house: an operator sees each, and how often it was tried. They never give up. */
export const provider: ActivityInterfaceFor<ProviderActivities> = proxyActivities<ProviderActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '10s' },
  // A call in flight is waited for: a hold that was released before it came about would stay.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

const once: ActivityInterfaceFor<ProviderActivities> = proxyLocalActivities<ProviderActivities>({
  startToCloseTimeout: '2s',
  scheduleToCloseTimeout: '2s',
  retry: { maximumAttempts: 1 },
});

/**
 * The two calls of every ride, each tried once as a local activity: where the provider answers within 2 s, that is one
 * marker instead of three events and a workflow task. Nobody waits for the payment's workflow meanwhile, and each call
 * is safe to repeat; one that fails or takes longer becomes a regular activity, which an operator sees.
 */
export const quickly = {
  authorize: tried('authorize'),
  capture: tried('capture'),
};

function tried<K extends 'authorize' | 'capture'>(call: K) {
  return async (summary: string, order: Parameters<ProviderActivities[K]>[0]) => {
    type Answer = Awaited<ReturnType<ProviderActivities[K]>>;
    const first = once[call] as unknown as (order: object) => Promise<Answer>;
    const again = provider[call] as unknown as {
      executeWithOptions: (options: { summary: string }, args: [object]) => Promise<Answer>;
    };
    try {
      return await CancellationScope.nonCancellable(() => first(order));
    } catch (error) {
      if (isCancellation(error) || refusalIn(error) !== undefined) throw error;
      return again.executeWithOptions({ summary }, [order]);
    }
  };
}
