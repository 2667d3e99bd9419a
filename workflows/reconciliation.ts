import {
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReconciliationActivities } from '../activities/payments/reconciliation';
import { reconcile, type Look, type ReconciliationOrder } from '../domain/reconcile';
import { driftLine, type CheckName } from '../domain/reconciliation';
import type { ReconciliationStart } from '../domain/sagas';
import { causeOf } from './steps';

/** A check that finds nobody to ask is tried again for this long; the run then says that it could not look. */
const looking = proxyActivities<ReconciliationActivities>({
  scheduleToCloseTimeout: '30m',
  // The longest that a check says nothing of itself: while the whole ledger is summed up.
  heartbeatTimeout: '6m',
  retry: { maximumInterval: '1m' },
});
/** What cannot be repaired is left, and said: no later run waits for it. */
const repairing = proxyActivities<ReconciliationActivities>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '5m',
  retry: { maximumAttempts: 3 },
});
const doing = proxyActivities<ReconciliationActivities>({ startToCloseTimeout: '1m' });

/** How many findings the card shows: the facts have them all. */
const SHOWN = 20;

/**
 * A run of the reconciliation, begun by the Schedule or by hand: what the command line does, with its steps as
 * activities. Its id in the facts is the run's in Temporal.
 * @returns how many drifts are left
 */
export async function reconciliation({ sinceMs, repairs, settleMs }: ReconciliationStart): Promise<number> {
  const order: ReconciliationOrder = {
    runId: workflowInfo().runId,
    since: new Date(Date.now() - sinceMs).toISOString(),
    repairs,
    settleMs,
    resumes: true,
  };
  const { findings, unseen } = await reconcile(order, {
    look: (check) => look(check, order),
    wait: (ms) => sleep(ms, { summary: 'what is on its way arrives meanwhile' }),
    repair: (repair) =>
      otherwise(
        () => repairing.repairDrift.executeWithOptions({ summary: repair.does }, [{ ...order, repair }]),
        (why) => `could not: ${why}`,
      ),
    recordFound: (_order, found) =>
      doing.recordDriftFound.executeWithOptions({ summary: 'record what was found' }, [{ ...order, found }]),
    recordFinished: (report, compared) =>
      doing.recordReconciled.executeWithOptions({ summary: 'record how it ended' }, [
        { ...report, ...(compared ? { compared } : {}) },
      ]),
  });
  const left = findings.filter(({ repaired }) => !repaired).map(({ drift }) => drift);
  setCurrentDetails(
    [
      `${findings.length} drifts found, ${left.length} left`,
      ...unseen.map(({ check, reason }) => `could not look at ${check}: ${reason}`),
      ...left.slice(0, SHOWN).map(driftLine),
    ]
      .map((line) => `- ${line}`)
      .join('\n'),
  );
  return left.length;
}

const look = (check: CheckName, order: ReconciliationOrder): Promise<Look> =>
  otherwise<Look>(
    () => looking.lookForDrift.executeWithOptions({ summary: `look at ${check}` }, [{ ...order, check }]),
    (unseen) => ({ unseen }),
  );

/** What is done, or what is said where it could not be; the run goes on, unless it is cancelled. */
async function otherwise<T>(work: () => Promise<T>, say: (why: string) => T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isCancellation(error)) throw error;
    const cause = causeOf(error);
    return say(cause instanceof Error ? cause.message : String(cause));
  }
}
