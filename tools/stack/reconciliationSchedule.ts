import { ScheduleOverlapPolicy, type ScheduleOptions } from '@temporalio/client';
import { reconciliationSchedule, taskQueues, workflowTypes } from '../../domain/names';
import type { ReconciliationStart } from '../../domain/sagas';

const MINUTE_MS = 60_000;

/** Every hour, over the last day; what is safe is repaired. */
const start: ReconciliationStart = { sinceMs: 24 * 60 * MINUTE_MS, repairs: true, settleMs: 10_000 };

/** The Schedule of the reconciliation: in real time at any speed, since machines and providers are no faster then. */
export const reconciliationOptions: ScheduleOptions = {
  scheduleId: reconciliationSchedule.scheduleId,
  spec: { intervals: [{ every: '1h', offset: '20m' }] },
  action: {
    type: 'startWorkflow',
    workflowType: workflowTypes.reconciliation,
    workflowId: reconciliationSchedule.workflowId,
    taskQueue: taskQueues.payments,
    args: [start],
    // One that hangs must not keep all later ones from beginning.
    workflowRunTimeout: '55 minutes',
  },
  // One at a time, and none for an hour that was missed: the next one sees the same.
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10 minutes' },
};
