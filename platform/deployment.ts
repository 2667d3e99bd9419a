import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { WorkflowService } from '@temporalio/client';
import type { Logger } from './log';
import { backoffMs, wait } from './wait';

/** A version of a deployment: which code of the workflows runs where. */
export interface DeploymentVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** What stands behind the code in a bundle: a map with the paths of the machine that made it. */
const SOURCE_MAP = '\n//# sourceMappingURL=';

/** The same for the same workflow code, wherever and whenever it was bundled: 12 hexadecimal digits. */
export async function buildIdOf(bundlePath: string): Promise<string> {
  const bundle = await readFile(bundlePath, 'utf8');
  const end = bundle.lastIndexOf(SOURCE_MAP);
  const code = end === -1 ? bundle : bundle.slice(0, end);
  return createHash('sha256').update(code).digest('hex').slice(0, 12);
}

export interface Deployments {
  readonly workflowService: WorkflowService;
  readonly namespace: string;
}

/**
 * Makes this the version that new workflows start on, and that what is not pinned goes on with. Safe to repeat. The
 * server knows a version only after a worker of it has polled, so it is asked again until it does, or `signal`.
 */
export async function setCurrentVersion(
  { workflowService, namespace }: Deployments,
  version: DeploymentVersion,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const seen = await workflowService.describeWorkerDeployment({
        namespace,
        deploymentName: version.deploymentName,
      });
      const current = seen.workerDeploymentInfo?.routingConfig?.currentDeploymentVersion;
      if (current?.buildId === version.buildId) return;
      await workflowService.setWorkerDeploymentCurrentVersion({ namespace, ...version });
      log.info({ ...version }, 'this version is the current one now');
      return;
    } catch (error) {
      signal.throwIfAborted();
      // For a moment after the first poll this is as it should be.
      if (attempt >= 20) log.warn({ err: error, ...version }, 'this version is not the current one yet');
      await wait(Math.min(backoffMs(attempt), 1_000), signal);
    }
  }
}

/** `unused`: the server knows nothing of it that is open, or nothing of it at all. */
export type VersionStatus = 'current' | 'draining' | 'drained' | 'unused';

/** temporal.api.enums.v1.WorkerDeploymentVersionStatus; what is not here was never current. */
const statuses: Readonly<Record<number, VersionStatus>> = {
  2: 'current',
  3: 'current',
  4: 'draining',
  5: 'drained',
};

/** What the server says of a version: `drained` some seconds after the last of its workflows has ended. */
export async function versionStatus(
  { workflowService, namespace }: Deployments,
  { deploymentName, buildId }: DeploymentVersion,
): Promise<VersionStatus> {
  try {
    const { workerDeploymentVersionInfo } = await workflowService.describeWorkerDeploymentVersion({
      namespace,
      deploymentVersion: { deploymentName, buildId },
    });
    return statuses[workerDeploymentVersionInfo?.status ?? 0] ?? 'unused';
  } catch (error) {
    if (isNotFound(error)) return 'unused';
    throw error;
  }
}

/** The build ids of a deployment's versions that still have work; empty where the deployment is not known yet. */
export async function drainingBuildIds(
  { workflowService, namespace }: Deployments,
  deploymentName: string,
): Promise<string[]> {
  try {
    const seen = await workflowService.describeWorkerDeployment({ namespace, deploymentName });
    const versions = seen.workerDeploymentInfo?.versionSummaries ?? [];
    return versions
      .filter(({ status }) => statuses[status ?? 0] === 'draining')
      .flatMap(({ deploymentVersion }) => deploymentVersion?.buildId ?? []);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** The list query for the open workflows that are pinned to a version. */
export const openQuery = ({ deploymentName, buildId }: DeploymentVersion): string =>
  `BuildIds = 'pinned:${deploymentName}:${buildId}' AND ExecutionStatus = 'Running'`;

/** How many open workflows are pinned to a version, as visibility has them: a moment behind. */
export async function openOn(
  { workflowService, namespace }: Deployments,
  version: DeploymentVersion,
): Promise<number> {
  const { count } = await workflowService.countWorkflowExecutions({ namespace, query: openQuery(version) });
  return Number(count);
}

/** The ids of workflows that are pinned to a version and open, `most` at most, the latest first. */
export async function openIdsOn(
  { workflowService, namespace }: Deployments,
  version: DeploymentVersion,
  most: number,
): Promise<string[]> {
  const query = openQuery(version);
  const { executions } = await workflowService.listWorkflowExecutions({ namespace, query, pageSize: most });
  return executions.flatMap(({ execution }) => execution?.workflowId ?? []);
}

const NOT_FOUND = 5;
const isNotFound = (error: unknown): boolean => (error as { code?: unknown }).code === NOT_FOUND;
