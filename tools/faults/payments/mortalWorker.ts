import { startOne } from '../../stack/startOne';
import { endProcess, type Daemon } from '../../stack/servers/daemon';
import { sendSignal } from '../../stack/signals';

/** The payments worker as a process of its own, which dies when it is told to and comes back when it is told to. */
export interface MortalWorker {
  /** Kills it (SIGKILL) this instant. */
  kill(): void;
  /** Returns once one that was killed is back. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMortalWorker(spec: {
  readonly name: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
}): Promise<MortalWorker> {
  const start = (): Promise<Daemon> => startOne({ ...spec, wanted: { process: 'payments' } });
  let daemon = await start();
  return {
    kill: () => sendSignal(daemon.pid, 'SIGKILL'),
    async revive() {
      await daemon.exited;
      daemon = await start();
    },
    stop: () => endProcess(daemon.pid, { signal: 'SIGTERM', deadlineMs: 10_000 }),
  };
}
