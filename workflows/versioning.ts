import { setWorkflowOptions, workflowInfo, type Workflow } from '@temporalio/workflow';

/**
 * Lets a workflow go on with the current version from task to task; without this it is pinned to the version that it
 * began with (platform/temporal.ts). A worker that is no version of a deployment, as in tests, must not say either: the
 * server refuses its tasks then.
 */
export function autoUpgrade(workflow: Workflow): void {
  setWorkflowOptions(
    () =>
      workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {},
    workflow,
  );
}
