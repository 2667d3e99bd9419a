import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { buildIdOf, setCurrentVersion } from './deployment';
import type { Logger } from './log';
import { projectRoot } from './root';
import { activityTracing, clientTracing, tracingSinks } from './telemetry/temporal';
import { backoffMs, wait } from './wait';

export interface TemporalAddress {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
}

/** A client that connects with its first call, so that a process starts while the server is away. */
export function createTemporalClient({ address, namespace }: TemporalAddress): Client {
  const interceptors = { workflow: [clientTracing] };
  return new Client({ connection: Connection.lazy({ address }), namespace, interceptors });
}

export interface WorkerOptions extends TemporalAddress {
  readonly taskQueue: string;
  readonly activities: object;
  /** The bundle of workflow code; `workflowBundlePath()` for the one that the build made. */
  readonly codePath: string;
  /** The Worker Deployment of this queue; the bundle is a version of it, by its hash. */
  readonly deploymentName: string;
  /** Whether new workflows shall start on this version: not so for one that only ends what it began. */
  readonly setCurrent: boolean;
  readonly log: Logger;
  /** Aborted when the worker shall drain and stop. */
  readonly signal: AbortSignal;
}

/** Interceptors inside of the workflows: in every bundle, so that a replay has them as production does. */
export const workflowInterceptorModules: readonly string[] = [join(__dirname, '..', 'workflows', 'tracing')];

/** Where `npm run build` puts the bundle of all workflows. */
export function workflowBundlePath(): string {
  return join(projectRoot(), 'dist', 'workflow-bundle.js');
}

/**
 * Works on a task queue until `signal`, then finishes the tasks in hand. Waits for a server that is away at the
 * start; one that goes away later is waited for by the worker itself.
 * @returns once polling and, with `setCurrent`, being the current version; with the promise of its end
 */
export async function startWorker(options: WorkerOptions): Promise<{ stopped: Promise<void> }> {
  const { address, namespace, taskQueue, activities, codePath, deploymentName, log, signal } = options;
  const version = { deploymentName, buildId: await buildIdOf(codePath) };
  const connection = await connect(address, log, signal);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    interceptors: { client: { workflow: [clientTracing] }, activity: [activityTracing] },
    sinks: tracingSinks,
    workflowBundle: { codePath },
    workerDeploymentOptions: { useWorkerVersioning: true, version, defaultVersioningBehavior: 'PINNED' },
    shutdownGraceTime: '5s',
    // A worker that was killed is waited for this long before another takes its workflows over.
    stickyQueueScheduleToStartTimeout: '3s',
    maxCachedWorkflows: 1_000,
    workflowThreadPoolSize: 1,
  });
  signal.addEventListener('abort', () => worker.shutdown(), { once: true });
  const stopped = worker.run().finally(() => connection.close());
  if (options.setCurrent) {
    const { workflowService } = connection;
    const asking = setCurrentVersion({ workflowService, namespace }, version, { log, signal });
    // A worker that fails meanwhile says why; one that is told to stop meanwhile stops.
    asking.catch(() => {});
    await Promise.race([asking, stopped]);
  }
  return { stopped };
}

/** The worker's core writes through the process's own log; called once, before the first worker. */
export function installTemporalRuntime(log: Logger): void {
  const at = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: object) =>
    log[level](withoutPayloads(meta), message);
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: (level, message, meta) => at(level.toLowerCase() as 'info')(message, meta),
      trace: at('trace'),
      debug: at('debug'),
      info: at('debug'),
      warn: at('warn'),
      error: at('error'),
    },
  });
}

/**
 * What the SDK says beside a message, but not what it shows of its tasks at the level `trace`: these have the arguments
 * of workflows and activities in them, and with them places, people and tokens of cards.
 */
const withoutPayloads = (meta: object = {}): object =>
  Object.fromEntries(
    Object.entries(meta).filter(([, value]) => typeof value !== 'object' || value instanceof Error),
  );

async function connect(address: string, log: Logger, signal: AbortSignal): Promise<NativeConnection> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await NativeConnection.connect({ address });
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, address }, 'Temporal is away: trying again');
      await wait(backoffMs(attempt), signal);
    }
  }
}
