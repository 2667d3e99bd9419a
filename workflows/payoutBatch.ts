import { continueAsNew, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { PayoutReads } from '../activities/payments/payouts';
import { payoutPeriod } from '../domain/payout';
import type { PayoutBatchStart } from '../domain/sagas';
import { ownDatabase } from './steps';

/**
 * The weekly payouts: starts one for each driver and currency with something to pay out, page after page. Each payout has
 * an id of driver, currency and period: a second batch of the same week finds those of the first. It has a pace, so that
 * rides, which the same worker asks the same provider for, do not wait behind all the drivers. After so many pages it
 * goes on as a new run, so that its history stays short however many drivers there are; it has no handlers to drain.
 * @returns how many were due
 */
export async function payoutBatch(start: PayoutBatchStart): Promise<number> {
  const { policies, pageSize, pagesPerRun, payoutsPerSecond } = start;
  const period = start.period ?? payoutPeriod(workflowInfo().startTime.toISOString());
  const { payoutPage, startPayouts } = ownDatabase<PayoutReads>();
  let after = start.after ?? '';
  let dueSoFar = start.dueSoFar ?? 0;
  for (let page = 0; page < pagesPerRun; page += 1) {
    const { due, after: next } = await payoutPage({
      period,
      payoutMinimums: policies.payoutMinimums,
      after,
      pageSize,
    });
    if (due.length > 0) await startPayouts(due.map((one) => ({ ...one, policies })));
    dueSoFar += due.length;
    setCurrentDetails(`**${period}**: ${dueSoFar} payouts are due, up to driver \`${next ?? 'the last'}\``);
    if (next === null) return dueSoFar;
    const pauseMs = (due.length * 1_000) / payoutsPerSecond;
    if (pauseMs > 0)
      await sleep(pauseMs, { summary: 'not more payouts at once than the provider takes beside rides' });
    after = next;
  }
  return continueAsNew<typeof payoutBatch>({ ...start, period, after, dueSoFar });
}
