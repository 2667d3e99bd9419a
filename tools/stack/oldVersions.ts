import { deployments } from '../../domain/names';
import { portVariable, type Variable } from '../../platform/config';
import {
  drainingBuildIds,
  openIdsOn,
  openOn,
  openQuery,
  versionStatus,
  type Deployments,
} from '../../platform/deployment';
import { createTemporalClient, type TemporalAddress } from '../../platform/temporal';
import { wait } from '../../platform/wait';
import { dropBundle, keptBundles, type Bundle } from './bundles';
import { freePort } from './ports';
import { processNamed } from './processes';
import type { Say } from './say';
import type { Supervisor } from './supervisor';

export interface OldVersionsOptions extends TemporalAddress {
  readonly dataDir: string;
  /** The version that new rides start on. */
  readonly buildId: string;
  /** What a process of the stack is started with. */
  readonly envOf: (name: WorkerName) => NodeJS.ProcessEnv;
  readonly supervisor: Pick<Supervisor, 'start' | 'dismiss'>;
  readonly say: Say;
}

/** The processes that carry what is pinned to earlier code. */
export interface OldVersions {
  /** Looks after them no more. The processes themselves are the supervisor's to stop. */
  stop(): Promise<void>;
}

type WorkerName = keyof typeof deployments;
const workerNames = Object.keys(deployments) as WorkerName[];
/** How many workflows a line names. */
const mostNamed = 10;
const lookEveryMs = 2_000;
/** A server that does not answer must not hold up a stop. */
const lookDeadlineMs = 3_000;

/** The name of the process that carries a worker's old version: `rides-1f2e3d4c5b6a`. */
export const oldWorkerName = (worker: WorkerName, buildId: string): string => `${worker}-${buildId}`;

/**
 * For each kept bundle that is not the current one: runs a worker of it for as long as something is pinned to it,
 * and drops it when the server says that it is drained. Looks every two seconds, until `stop`.
 */
export function superviseOldVersions(options: OldVersionsOptions): OldVersions {
  const { dataDir, buildId, say } = options;
  const stopping = new AbortController();
  const client = createTemporalClient(options);
  const { namespace } = options;
  const server: Deployments = { workflowService: client.connection.workflowService, namespace };
  const running = new Set<string>();

  const inTime = <T>(look: () => Promise<T>): Promise<T> =>
    client.connection.withDeadline(Date.now() + lookDeadlineMs, look);

  const live = async (): Promise<void> => {
    await sayStranded().catch(() => {});
    while (!stopping.signal.aborted) {
      try {
        const old = (await keptBundles(dataDir)).filter((bundle) => bundle.buildId !== buildId);
        for (const bundle of old) await lookAfter(bundle);
      } catch {
        // The server is away: what runs goes on running, and it is asked again.
      }
      await wait(lookEveryMs, stopping.signal);
    }
  };

  /** What is pinned to code that is not here hangs until its code comes back, or an operator moves it. */
  const sayStranded = async (): Promise<void> => {
    const here = new Set((await keptBundles(dataDir)).map((bundle) => bundle.buildId));
    for (const worker of workerNames) {
      const deploymentName = deployments[worker];
      for (const buildId of await inTime(() => drainingBuildIds(server, deploymentName))) {
        const version = { deploymentName, buildId };
        const open = here.has(buildId) ? 0 : await inTime(() => openOn(server, version));
        if (open === 0) continue;
        const named = await inTime(() => openIdsOn(server, version, mostNamed));
        const more = open > named.length ? ` and ${open - named.length} more` : '';
        say.line(
          `${open} ${worker} wait for version ${buildId}, whose code is not kept here: ${named.join(', ')}${more}. ` +
            `To end them on today's:\n` +
            `  temporal workflow update-options --address ${options.address} --namespace ${namespace} ` +
            `--query "${openQuery(version)}" --versioning-override-behavior auto_upgrade`,
        );
      }
    }
  };

  const lookAfter = async (bundle: Bundle): Promise<void> => {
    const over: boolean[] = [];
    for (const worker of workerNames) over.push(await lookAfterWorker(worker, bundle));
    if (!over.every(Boolean)) return;
    await dropBundle(bundle);
    say.line(`version ${bundle.buildId} of the workflows is drained: its code is dropped`);
  };

  /** @returns whether nothing is or can be pinned to this version any more */
  const lookAfterWorker = async (worker: WorkerName, bundle: Bundle): Promise<boolean> => {
    const version = { deploymentName: deployments[worker], buildId: bundle.buildId };
    const status = await inTime(() => versionStatus(server, version));
    const open = await inTime(() => openOn(server, version));
    if (stopping.signal.aborted) return false;
    const name = oldWorkerName(worker, bundle.buildId);
    // Visibility is a moment behind, so no open workflow alone does not mean that it is over.
    const isOver = open === 0 && (status === 'drained' || status === 'unused');
    if (isOver && running.delete(name)) {
      await options.supervisor.dismiss(name);
      say.line(`${name} is drained and stopped`);
    } else if (open > 0 && !running.has(name)) {
      running.add(name);
      say.line(`${open} ${worker} began on version ${bundle.buildId}: ${name} carries them to their end`);
      await startWorker(name, worker, bundle);
    }
    return isOver;
  };

  const startWorker = async (name: string, worker: WorkerName, bundle: Bundle): Promise<void> => {
    const spec = processNamed(worker);
    const port = await freePort();
    const variables: Partial<Record<Variable, string>> = {
      [portVariable(worker)]: String(port),
      HAILWAY_WORKFLOW_BUNDLE: bundle.path,
      HAILWAY_SET_CURRENT: 'no',
    };
    options.supervisor.start({ ...spec, name }, { port, env: { ...options.envOf(worker), ...variables } });
  };

  const lived = live();
  return {
    async stop() {
      stopping.abort();
      await lived;
      await client.connection.close();
    },
  };
}
