import { fork } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../stack/places';
import { sendSignal } from '../../stack/signals';
import type { WorkerNews, WorkerOrder } from './worker';

/** A relay, consumer or replay as a process of its own. */
export interface Mortal {
  /** Its exit code; null for one that was killed. */
  readonly exited: Promise<number | null>;
  /** The partitions that are its own, and how often it was told. */
  assigned(): { readonly partitions: readonly number[]; readonly times: number };
  /** SIGKILL; returns when it is gone. */
  kill(): Promise<unknown>;
  /** SIGSTOP. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
}

export function startMortal(order: WorkerOrder): Mortal {
  const path = join(projectRoot(), 'dist', 'tools', 'faults', 'backbone', 'worker.js');
  const child = fork(path, [JSON.stringify(order)], {
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  let assigned: ReturnType<Mortal['assigned']> = { partitions: [], times: 0 };
  child.on('message', ({ assigned: partitions }: WorkerNews) => {
    assigned = { partitions, times: assigned.times + 1 };
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', reject);
  });
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid !== undefined) sendSignal(child.pid, name);
  };
  return {
    exited,
    assigned: () => assigned,
    kill() {
      signal('SIGKILL');
      return exited;
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  };
}
