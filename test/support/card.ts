import type { WorkflowHandle } from '@temporalio/client';
import { searchAttributes } from '../../domain/names';

/** What an operator reads of a workflow in Temporal's web UI under "User Metadata". */
export async function cardOf(workflow: WorkflowHandle): Promise<string> {
  const { currentDetails } = await workflow.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  return currentDetails;
}

/** Whether the workflow is found as stuck; undefined where that was never said of it. */
export async function isStuck(workflow: WorkflowHandle): Promise<boolean | undefined> {
  const { searchAttributes: attributes } = (await workflow.describe()) as unknown as {
    searchAttributes: Record<string, boolean[] | undefined>;
  };
  return attributes[searchAttributes.stuck.name]?.[0];
}
