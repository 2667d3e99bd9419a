import type { ProcessName } from '../../platform/config';
import { keepRunning, type Kept } from './keep';
import { nodeArguments, processes, type ProcessSpec } from './processes';
import type { Ports } from './ports';
import type { Say } from './say';
import type { ServerName } from './servers';
import { rememberedNames, startDaemon, stopLeftOver } from './servers/daemon';

export interface SupervisorOptions {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly envOf: (name: ProcessName) => NodeJS.ProcessEnv;
  readonly say: Say;
}

/** A process beside the usual ones: the worker of an old version. */
export type ExtraProcess = Omit<ProcessSpec, 'name'> & { readonly name: string };

/** The running processes of Hailway. */
export interface Supervisor {
  /** Kill, hold down, freeze and look at one of them; see `Kept`. */
  process(name: string): Kept;
  /** Starts one more, with an environment of its own, and keeps it running. */
  start(spec: ExtraProcess, own: { readonly port: number; readonly env: NodeJS.ProcessEnv }): Kept;
  /** Drains and stops one that was started so; it is forgotten then. */
  dismiss(name: string): Promise<void>;
  /** Returns once all of them do their work. @throws when one does not */
  untilReady(): Promise<void>;
  /** Drains and stops them: the edge first, the relay after those who write facts. */
  stop(): Promise<void>;
}

/** Starts every process and starts again whichever dies. */
export function superviseProcesses({ dataDir, ports, envOf, say }: SupervisorOptions): Supervisor {
  const all = new Map<string, { readonly kept: Kept; readonly stopOrder: number }>();
  const start: Supervisor['start'] = (spec, own) => {
    const { name, stopOrder } = spec;
    const kept = keepRunning({
      name,
      dataDir,
      say,
      start: () =>
        startDaemon({
          name,
          dataDir,
          command: process.execPath,
          args: nodeArguments(spec),
          env: { ...spec.env, ...own.env },
          ipc: true,
        }),
      isReady: () => isReady(own.port),
    });
    all.set(name, { kept, stopOrder });
    return kept;
  };
  for (const spec of processes) start(spec, { port: ports[spec.name], env: envOf(spec.name) });
  const process_ = (name: string): Kept => {
    const found = all.get(name);
    if (!found) throw new Error(`there is no process ${name}`);
    return found.kept;
  };
  return {
    process: process_,
    start,
    async dismiss(name) {
      await process_(name).stop();
      all.delete(name);
    },
    async untilReady() {
      await Promise.all([...all.values()].map(({ kept }) => kept.untilReady()));
    },
    async stop() {
      const orders = [...new Set(processes.map(({ stopOrder }) => stopOrder))].sort((a, b) => a - b);
      for (const order of orders) {
        const together = [...all.values()].filter(({ stopOrder }) => stopOrder === order);
        await Promise.all(together.map(({ kept }) => kept.stop()));
      }
    },
  };
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(3_000) });
  await response.arrayBuffer();
  return response.ok;
}

/** Ends processes that outlived their supervisor; most see its death and end by themselves. */
export async function stopLeftOverProcesses(dataDir: string): Promise<void> {
  const ours = rememberedNames(dataDir).filter((name) => !serverNames.has(name));
  await Promise.all(
    ours.map((name) => stopLeftOver(dataDir, name, { signal: 'SIGTERM', deadlineMs: 5_000 })),
  );
}

const serverNames: ReadonlySet<string> = new Set<ServerName>(['postgres', 'kafka', 'temporal']);
