import type { WorkflowHandle } from '@temporalio/client';
import { searchAttributes } from '../../domain/names';

/** What an operator reads of a workflow in Temporal's web UI under "User Metadata". */
export async function cardOf(workflow: WorkflowHandle): Promise<string> {
  const { currentDetails } = await workflow.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  return currentDetails;
}

/** Whether the workflow is found as stuck; undefined where that was never said of it. */
export const isStuck = (workflow: WorkflowHandle): Promise<boolean | undefined> =>
  attribute(workflow, searchAttributes.stuck.name);

/** What the workflow says as its status; undefined where it has said nothing. */
export const phaseOf = (workflow: WorkflowHandle): Promise<string | undefined> =>
  attribute(workflow, searchAttributes.status.name);

async function attribute<T>(workflow: WorkflowHandle, name: string): Promise<T | undefined> {
  const { searchAttributes: attributes } = (await workflow.describe()) as unknown as {
    searchAttributes: Record<string, T[] | undefined>;
  };
  return attributes[name]?.[0];
}
