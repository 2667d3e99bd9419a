import { wait } from '../../platform/wait';
import type { Say } from './say';
import { endOfLog, endProcess, type Daemon, type Exit } from './servers/daemon';
import { sendSignal } from './signals';

export interface KeepSpec {
  readonly name: string;
  readonly dataDir: string;
  readonly start: () => Promise<Daemon>;
  /** Whether it does its work now. */
  readonly isReady: () => Promise<boolean>;
  /** How it is asked to end (SIGTERM), and how long it may take before it is killed (10 s). */
  readonly stopSignal?: NodeJS.Signals;
  readonly stopDeadlineMs?: number;
  readonly say: Say;
}

/** A process that is started again, for ever, whenever it dies. */
export interface Kept {
  readonly name: string;
  /** Undefined while it is down. */
  pid(): number | undefined;
  /** How often it was started again. */
  restarts(): number;
  /** Sends a signal (SIGKILL) and does not wait; SIGSTOP and SIGCONT freeze and thaw it. */
  kill(signal?: NodeJS.Signals): void;
  /** Kills it and keeps it down. Returns once it is gone. */
  hold(signal?: NodeJS.Signals): Promise<void>;
  /** Ends a hold; returns once it is ready again. */
  release(): Promise<void>;
  /** Returns once it does its work. @throws when it does not within the time (60 s), or its settings are wrong. */
  untilReady(timeoutMs?: number): Promise<void>;
  /** Ends it for good: asks, waits, kills. With `hurry` kills at once. */
  stop(): Promise<void>;
  hurry(): void;
}

const firstPauseMs = 200;
const longestPauseMs = 10_000;
const wellAfterMs = 30_000;
const wrongSettings = 78;

/** Starts a process and keeps it running, with a growing pause (0.2 to 10 s) between tries, each said on screen. */
export function keepRunning(spec: KeepSpec): Kept {
  const { name, say } = spec;
  const stopping = new AbortController();
  let current: Daemon | undefined;
  let lastExit: Exit | undefined;
  let restarts = 0;
  let held: { readonly released: Promise<void>; readonly release: () => void } | undefined;

  const live = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      if (held) {
        await Promise.race([held.released, aborted(stopping.signal)]);
        failures = 0;
        continue;
      }
      const startedAt = Date.now();
      lastExit = undefined;
      try {
        current = await spec.start();
        // Told to stop or to stay down while it was starting.
        if (stopping.signal.aborted || held) sendSignal(current.pid, 'SIGKILL');
        lastExit = await current.exited;
      } catch (error) {
        lastExit = { code: null, reason: (error as Error).message };
      }
      current = undefined;
      if (stopping.signal.aborted) return;
      if (held) continue;
      if (Date.now() - startedAt > wellAfterMs) failures = 0;
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
      failures += 1;
      restarts += 1;
      say.line(`${name} ended (${lastExit.reason}); starting it again in ${pauseMs / 1_000} s`);
      await wait(pauseMs, stopping.signal);
    }
  };
  const lived = live();

  const untilReady = async (timeoutMs = 60_000): Promise<void> => {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (current && (await spec.isReady().catch(() => false))) return;
      const hopeless = lastExit?.code === wrongSettings;
      if (stopping.signal.aborted || hopeless || Date.now() >= deadline) {
        const why = lastExit ? `ended (${lastExit.reason})` : `is not ready after ${timeoutMs / 1_000} s`;
        throw new Error(`${name} ${why}. Its log ends with:\n${await endOfLog(spec.dataDir, name)}`);
      }
      await wait(100, stopping.signal);
    }
  };
  const hurry = (): void => {
    stopping.abort();
    if (current) {
      sendSignal(-current.pid, 'SIGKILL');
      sendSignal(current.pid, 'SIGKILL');
    }
  };
  return {
    name,
    pid: () => current?.pid,
    restarts: () => restarts,
    kill(signal = 'SIGKILL') {
      if (current) sendSignal(current.pid, signal);
    },
    async hold(signal = 'SIGKILL') {
      if (!held) {
        let release = (): void => {};
        const released = new Promise<void>((resolve) => (release = resolve));
        held = { released, release };
      }
      const ending = current;
      if (!ending) return;
      await endProcess(ending.pid, { signal, deadlineMs: 15_000 });
      await ending.exited;
    },
    async release() {
      held?.release();
      held = undefined;
      await untilReady();
    },
    untilReady,
    async stop() {
      stopping.abort();
      if (current) {
        // A frozen process would not hear the other signal.
        sendSignal(current.pid, 'SIGCONT');
        await endProcess(current.pid, {
          signal: spec.stopSignal ?? 'SIGTERM',
          deadlineMs: spec.stopDeadlineMs ?? 10_000,
        });
      }
      await lived;
    },
    hurry,
  };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
