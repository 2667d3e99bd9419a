import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { inPages } from './collect';

/** What Temporal says of one workflow. */
export interface WorkflowState {
  readonly isRunning: boolean;
  /** ISO 8601 in UTC. */
  readonly startedAt: string;
  readonly closedAt: string | null;
}

/** Workflows as a reconciliation sees them. */
export interface WorkflowView {
  /** The latest run, exactly; null where there is none, or the server has forgotten it. */
  look(workflowId: string): Promise<WorkflowState | null>;
  /** Those of a type that run, by Temporal's visibility: a moment late. */
  running(type: string): AsyncIterable<readonly { workflowId: string; startedAt: string }[]>;
}

const PAGE = 200;

/** @param taskQueue whose workflows are ours */
export function createWorkflowView(temporal: Client, taskQueue: string): WorkflowView {
  return {
    async look(workflowId) {
      try {
        const { status, startTime, closeTime } = await temporal.workflow.getHandle(workflowId).describe();
        return {
          isRunning: status.name === 'RUNNING',
          startedAt: startTime.toISOString(),
          closedAt: closeTime?.toISOString() ?? null,
        };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      }
    },
    async *running(type) {
      const query = `WorkflowType = '${type}' and TaskQueue = '${taskQueue}' and ExecutionStatus = 'Running'`;
      for await (const page of inPages(temporal.workflow.list({ query, pageSize: PAGE }), PAGE))
        yield page.map(({ workflowId, startTime }) => ({ workflowId, startedAt: startTime.toISOString() }));
    },
  };
}
