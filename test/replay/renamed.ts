import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Workflows that call two activities by other names than they did: what a careless change comes to. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleLocalActivity: (input, next) =>
        next(input.activityType === 'cancelByRider' ? { ...input, activityType: 'cancelRide' } : input),
      scheduleActivity: (input, next) =>
        next(input.activityType === 'capture' ? { ...input, activityType: 'voidHold' } : input),
    },
  ],
});
