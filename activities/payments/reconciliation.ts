import { Context, getClient } from '@temporalio/activity';
import type {
  Compared,
  Found,
  ReconciliationOrder,
  ReconciliationReport,
  Seen,
} from '../../domain/reconcile';
import type { CheckName, Drift, Repair } from '../../domain/reconciliation';
import { createReconciler, type ReconcilerOptions } from '../../services/payments/reconciliation/reconciler';

/** What a reconciliation's workflow does outside of itself. Each is safe to repeat. */
export type ReconciliationActivities = {
  /** Goes on for minutes, and says meanwhile that it does. */
  lookForDrift(order: ReconciliationOrder & { readonly check: CheckName }): Promise<Seen>;
  repairDrift(order: ReconciliationOrder & { readonly repair: Repair }): Promise<string>;
  recordDriftFound(order: ReconciliationOrder & { readonly found: Found }): Promise<void>;
  recordReconciled(end: ReconciliationReport & { readonly compared?: Compared }): Promise<void>;
};

/** @param options without a client of Temporal: an activity has its worker's */
export function createReconciliationActivities(
  options: Omit<ReconcilerOptions, 'temporal'>,
): ReconciliationActivities {
  const reconciler = createReconciler({ ...options, temporal: getClient });
  return forOlderRunsToo({
    lookForDrift: ({ check, ...order }) =>
      reconciler.check(check, order, () => Context.current().heartbeat()),
    repairDrift: ({ repair, ...order }) => reconciler.repair(repair, order),
    recordDriftFound: ({ found, ...order }) => reconciler.recordFound(order, found),
    recordReconciled: ({ compared, ...report }) => reconciler.recordFinished(report, compared),
  });
}

/**
 * A run that began before logs were read on has the workflow of then, which knows drifts alone: it gets those of a look,
 * and gives those that it has found.
 */
const forOlderRunsToo = (activities: ReconciliationActivities): ReconciliationActivities => ({
  ...activities,
  async lookForDrift(order) {
    const seen = await activities.lookForDrift(order);
    return isOlder(order) ? (seen.drifts as unknown as Seen) : seen;
  },
  recordDriftFound: ({ found, ...order }) =>
    activities.recordDriftFound({
      ...order,
      found: isOlder(order) ? { drifts: found as unknown as Drift[], whole: [] } : found,
    }),
});

const isOlder = ({ resumes }: { readonly resumes?: boolean }): boolean => resumes === undefined;
