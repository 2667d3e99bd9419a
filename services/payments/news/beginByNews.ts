import type { Client } from '@temporalio/client';
import { providerNews, workflowTypes } from '../../../domain/names';
import type { DisputeStart, LateRefundsStart, PayoutStart, ProviderNews } from '../../../domain/sagas';

/** A workflow that news is told to; where it is over, or never was, the news begins it. */
export interface BegunByNews {
  readonly type: 'dispute' | 'payout' | 'lateRefunds';
  readonly workflowId: string;
  readonly start: DisputeStart | PayoutStart | LateRefundsStart;
}

/** Tells a workflow that runs, or begins it anew: it looks, and ends. @returns its id */
export async function beginByNews(
  temporal: Client,
  { type, workflowId, start }: BegunByNews,
  { news, taskQueue }: { readonly news: ProviderNews; readonly taskQueue: string },
): Promise<string> {
  await temporal.workflow.signalWithStart(workflowTypes[type], {
    workflowId,
    taskQueue,
    args: [start],
    signal: providerNews,
    signalArgs: [news],
  });
  return workflowId;
}
