import { fork } from 'node:child_process';
import type { LogOrder, WorkerNews } from './progress';

const DEADLINE_MS = 180_000;
/** As docker-compose.yml starts consumers. */
const consumerArguments = ['--max-semi-space-size=64'];

export interface Run {
  /** While a process had the partitions: to its last news before it was killed, or to the end. */
  readonly workMs: number;
  /** Of the process that ended by itself. */
  readonly cpuMs: number;
  /** From the kill until the next process had them; null where none was killed. */
  readonly awayMs: number | null;
}

/**
 * Runs a contestant's process, whose compiled module is `worker`, to the end. Once it has done the share `killAt` of its work it is killed (SIGKILL), and
 * another goes on in its place.
 */
export async function runWorker(
  worker: string,
  order: LogOrder,
  { killAt }: { killAt: number | null },
): Promise<Run> {
  const first = await live(worker, order, killAt);
  if (first.cpuMs !== null)
    return { workMs: first.endMs - first.assignedMs, cpuMs: first.cpuMs, awayMs: null };
  const second = await live(worker, order, null);
  if (second.cpuMs === null) throw new Error('impossible: nobody has killed it');
  return {
    workMs: first.endMs - first.assignedMs + (second.endMs - second.assignedMs),
    cpuMs: second.cpuMs,
    awayMs: second.assignedMs - first.endMs,
  };
}

interface Life {
  readonly assignedMs: number;
  readonly endMs: number;
  /** Null for one that was killed. */
  readonly cpuMs: number | null;
}

async function live(module: string, order: LogOrder, killAt: number | null): Promise<Life> {
  const worker = fork(module, [JSON.stringify(order)], {
    execArgv: [...process.execArgv, ...consumerArguments],
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  const deadline = setTimeout(() => worker.kill('SIGKILL'), DEADLINE_MS);
  let assignedMs = NaN;
  let end: { ms: number; cpuMs: number | null } | undefined;
  worker.on('message', (news: WorkerNews) => {
    if (news.at === 'assigned') assignedMs = news.ms;
    else if (news.at === 'done') end = news;
    else if (end === undefined && killAt !== null && news.share >= killAt) {
      worker.kill('SIGKILL');
      end = { ms: Date.now(), cpuMs: null };
    }
  });
  await new Promise((resolve) => worker.once('exit', resolve));
  clearTimeout(deadline);
  if (end === undefined) throw new Error(`${order.contestant} ended before its work was done`);
  return { assignedMs, endMs: end.ms, cpuMs: end.cpuMs };
}
