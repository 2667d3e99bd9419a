import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

const renamed: Readonly<Record<string, string>> = { cancelByRider: 'cancelRide', capture: 'voidHold' };

/** Workflows that call two activities by other names than they did: what a careless change comes to. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleLocalActivity: (input, next) =>
        next({ ...input, activityType: renamed[input.activityType] ?? input.activityType }),
      scheduleActivity: (input, next) =>
        next({ ...input, activityType: renamed[input.activityType] ?? input.activityType }),
    },
  ],
});
