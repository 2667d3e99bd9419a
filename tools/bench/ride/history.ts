import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { paymentWorkflowId, rideWorkflowId } from '../../../domain/names';
import type { House } from './house';

/** What Temporal has written down for one ride, its payment included. */
export interface Written {
  readonly events: number;
  readonly workflowTasks: number;
  /** What Temporal Cloud would bill (https://docs.temporal.io/cloud/actions). */
  readonly actions: number;
}

/** Looks at the histories of some rides; the answer is the mean of them. */
export async function readHistories(
  address: string,
  house: House,
  rideIds: readonly string[],
): Promise<Written> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace: house.namespace });
  const sum = { events: 0, workflowTasks: 0, actions: 0 };
  try {
    for (const rideId of rideIds) {
      for (const workflowId of [rideWorkflowId(rideId), paymentWorkflowId(rideId)]) {
        const types = await eventTypes(client, workflowId);
        sum.events += types.length;
        sum.workflowTasks += types.filter((type) => type === 'WORKFLOW_TASK_COMPLETED').length;
        sum.actions += actionsOf(types);
      }
    }
  } finally {
    await connection.close();
  }
  const mean = (total: number): number => total / rideIds.length;
  return { events: mean(sum.events), workflowTasks: mean(sum.workflowTasks), actions: mean(sum.actions) };
}

const grpcNotFound = 5;

/** The events of a workflow by their names; none where there is no such workflow. */
async function eventTypes(client: Client, workflowId: string): Promise<string[]> {
  try {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).map(({ eventType }) => nameOf(eventType ?? 0));
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === grpcNotFound) return [];
    throw error;
  }
}

const nameOf = (eventType: number): string =>
  (temporal.api.enums.v1.EventType[eventType] ?? '').replace('EVENT_TYPE_', '');

/** One action each; local activities are billed by the workflow task that ran them. */
const billed: ReadonlySet<string> = new Set([
  'WORKFLOW_EXECUTION_STARTED',
  'WORKFLOW_EXECUTION_SIGNALED',
  'WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
  'ACTIVITY_TASK_SCHEDULED',
  'TIMER_STARTED',
  'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
  'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
]);

function actionsOf(types: readonly string[]): number {
  let actions = 0;
  let markersOfTask = 0;
  for (const type of types) {
    if (billed.has(type)) actions += 1;
    if (type === 'WORKFLOW_TASK_COMPLETED') markersOfTask = 0;
    if (type === 'MARKER_RECORDED' && (markersOfTask += 1) === 1) actions += 1;
  }
  return actions;
}
