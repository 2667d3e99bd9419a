import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { HttpOrder, HttpTold, LoadOrder, LoadTold } from './order';

/** Starts a contestant's process: it listens when this returns. */
export async function startServer(order: HttpOrder) {
  const child = start('server.js', [JSON.stringify(order)]);
  const told = await next<HttpTold>(child);
  if (told.at !== 'listening') throw new Error('impossible: it ended before it began');
  return {
    port: told.port,
    async end() {
      child.send('end');
      const end = await next<HttpTold>(child);
      if (end.at !== 'end') throw new Error('impossible: it began twice');
      return end;
    },
  };
}

/** What a load found out. */
export type LoadEnd = Extract<LoadTold, { at: 'end' }>;

/** Runs a load; its requests are made before the first goes out. */
export async function runLoad(order: LoadOrder): Promise<LoadEnd> {
  const child = start('load.js', []);
  child.send(order);
  const ready = await next<LoadTold>(child);
  if (ready.at !== 'ready') throw new Error('impossible: it ended before it began');
  child.send('begin');
  const end = await next<LoadTold>(child);
  if (end.at !== 'end') throw new Error('impossible: it was ready twice');
  return end;
}

const start = (module: string, args: string[]): ChildProcess =>
  fork(join(__dirname, module), args, { stdio: ['ignore', process.stderr, process.stderr, 'ipc'] });

async function next<T>(child: ChildProcess): Promise<T> {
  const gone = new AbortController();
  const { signal } = gone;
  const exit = once(child, 'exit', { signal }).then(() => {
    throw new Error('a process of the bench has ended too soon');
  });
  try {
    const [told] = (await Promise.race([once(child, 'message', { signal }), exit])) as [T];
    return told;
  } finally {
    gone.abort();
    exit.catch(() => {});
  }
}
