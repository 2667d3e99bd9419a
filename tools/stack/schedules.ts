import {
  Client,
  Connection,
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type ScheduleOptions,
} from '@temporalio/client';
import { payoutSchedule, taskQueues, workflowTypes } from '../../domain/names';
import { scalePolicies, standardPolicies } from '../../domain/policies';
import type { PayoutBatchStart } from '../../domain/sagas';
import { reconciliationOptions } from './reconciliationSchedule';

export interface ScheduleTarget {
  readonly address: string;
  readonly namespace: string;
  /** Durations of the policies are divided by it. */
  readonly speed: number;
}

/** Everything that begins by the calendar. Times are in UTC. */
const schedules = (speed: number): ScheduleOptions[] => {
  const batch: PayoutBatchStart = {
    policies: scalePolicies(standardPolicies, speed),
    // Each is two requests or so, and Stripe takes 100 a second of an account.
    payoutsPerSecond: 20,
    pageSize: 20,
    pagesPerRun: 100,
  };
  return [
    {
      scheduleId: payoutSchedule.scheduleId,
      spec: { calendars: [{ dayOfWeek: 'MONDAY', hour: 4 }], timezone: 'UTC' },
      action: {
        type: 'startWorkflow',
        workflowType: workflowTypes.payoutBatch,
        workflowId: payoutSchedule.workflowId,
        taskQueue: taskQueues.payments,
        args: [batch],
      },
      // A server that was away catches up: two batches of one week pay once.
      policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE, catchupWindow: '6 days' },
    },
    reconciliationOptions,
  ];
};

/**
 * Makes the Schedules, or brings them up to date: what an operator has paused stays paused. Safe to repeat.
 * @throws Error where the server has no Schedules or refuses
 */
export async function prepareSchedules({ address, namespace, speed }: ScheduleTarget): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const { schedule } = new Client({ connection, namespace });
    for (const wanted of schedules(speed)) {
      try {
        await schedule.create(wanted);
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        const { spec, action, policies } = wanted;
        await schedule
          .getHandle(wanted.scheduleId)
          .update((before) => ({ ...before, spec, action, policies: { ...before.policies, ...policies } }));
      }
    }
  } finally {
    await connection.close();
  }
}
