import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessName } from '../../platform/config';
import { portVariables } from './ports';
import { nodeArguments, processNamed } from './processes';
import { endOfLog, startDaemon, type Daemon } from './servers/daemon';

/** One of Hailway's own processes, or a script, by its path, that listens as the rides worker does. */
export type Wanted = { readonly process: ProcessName } | { readonly script: string };

const START_DEADLINE_MS = 60_000;

/**
 * Starts a process by itself, outside of a stack, and returns once it is ready. Nobody starts it again.
 * @throws Error with the end of its log where it does not get ready
 */
export async function startOne({
  name,
  wanted,
  port,
  env,
  dataDir,
}: {
  /** Of its log and pid file. */
  readonly name: string;
  readonly wanted: Wanted;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
}): Promise<Daemon> {
  const own = 'process' in wanted ? processNamed(wanted.process) : undefined;
  const args = own ? nodeArguments(own) : [(wanted as { script: string }).script];
  const portVariable = portVariables['process' in wanted ? wanted.process : 'rides'];
  const daemon = await startDaemon({
    name,
    dataDir,
    command: process.execPath,
    args,
    env: { ...own?.env, ...env, [portVariable]: String(port) },
    ipc: true,
  });
  let hasEnded = false;
  void daemon.exited.then(() => (hasEnded = true));
  for (const deadline = Date.now() + START_DEADLINE_MS; ; await delay(100)) {
    if (hasEnded || Date.now() > deadline)
      throw new Error(`${name} does not start. Its log ends with:\n${await endOfLog(dataDir, name)}`);
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok) return daemon;
  }
}
