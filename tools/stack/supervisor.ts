import type { ProcessName } from '../../platform/config';
import { keepRunning, type Kept } from './keep';
import { nodeArguments, processes, type ProcessSpec } from './processes';
import type { Ports } from './ports';
import type { Say } from './say';
import { startDaemon, stopLeftOver } from './servers/daemon';

export interface SupervisorOptions {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly env: NodeJS.ProcessEnv;
  readonly say: Say;
}

/** The running processes of Hailway. */
export interface Supervisor {
  /** Kill, hold down, freeze and look at one of them; see `Kept`. */
  process(name: ProcessName): Kept;
  /** Returns once all of them do their work. @throws when one does not */
  untilReady(): Promise<void>;
  /** Drains and stops them: the edge first, the relay after those who write facts. */
  stop(): Promise<void>;
}

/** Starts every process and starts again whichever dies. */
export function superviseProcesses({ dataDir, ports, env, say }: SupervisorOptions): Supervisor {
  const start = (spec: ProcessSpec): Kept =>
    keepRunning({
      name: spec.name,
      dataDir,
      say,
      start: () =>
        startDaemon({
          name: spec.name,
          dataDir,
          command: process.execPath,
          args: nodeArguments(spec),
          env,
          ipc: true,
        }),
      isReady: () => isReady(ports[spec.name]),
    });
  const kept = new Map(processes.map((spec) => [spec.name, start(spec)]));
  const process_ = (name: ProcessName): Kept => {
    const found = kept.get(name);
    if (!found) throw new Error(`there is no process ${name}`);
    return found;
  };
  return {
    process: process_,
    async untilReady() {
      await Promise.all([...kept.values()].map((one) => one.untilReady()));
    },
    async stop() {
      const orders = [...new Set(processes.map(({ stopOrder }) => stopOrder))].sort((a, b) => a - b);
      for (const order of orders) {
        const together = processes.filter(({ stopOrder }) => stopOrder === order);
        await Promise.all(together.map(({ name }) => process_(name).stop()));
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
  await Promise.all(
    processes.map(({ name }) => stopLeftOver(dataDir, name, { signal: 'SIGTERM', deadlineMs: 5_000 })),
  );
}
