import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What starts the watch, besides the word to the contestant, and what is to be true before the contestant goes. */
export interface Watch {
  readonly start?: () => Promise<void>;
  readonly end?: () => Promise<void>;
}

/** What a contestant is told of its round. */
export interface Round {
  readonly kafkaBroker: string;
  readonly databaseUrl: string;
  readonly topic: string;
  /** How many facts there are to move. */
  readonly count: number;
}

/** A contestant's side: gets ready, says so, waits for the word where it needs one, and says when it is done. */
export interface Contest extends Round {
  /** Tells that all is connected and warm; resolves when the watch is running. */
  readonly ready: () => Promise<void>;
  readonly done: () => void;
}

const variable = 'BENCH_ROUND';

/** To be called by a contestant's process, which is about one round of one contestant. */
export function runContestant(
  contestants: Readonly<Record<string, (contest: Contest) => Promise<void>>>,
): void {
  const { name, ...round } = JSON.parse(process.env[variable]!) as Round & { name: string };
  process.once('disconnect', () => process.exit());
  void contestants[name]!({
    ...round,
    ready() {
      const go = once(process, 'message').then(() => {});
      process.send!('ready');
      return go;
    },
    done: () => void process.send!({ peakMb: process.resourceUsage().maxRSS / 1_024 }),
  });
}

/**
 * One round in a process of its own, so that nobody carries what the others have left behind.
 * @param file the contestants' module, beside this one
 * @returns seconds from the start to the end, and the most memory that its process had until then, in MB
 */
export async function timed(
  { file, name }: { file: string; name: string },
  round: Round,
  { start, end }: Watch,
): Promise<{ seconds: number; peakMb: number }> {
  const child = fork(join(__dirname, `${file}.js`), {
    env: { ...process.env, [variable]: JSON.stringify({ name, ...round }) },
    execArgv: [],
  });
  const died = once(child, 'exit').then(() => {
    throw new Error(`${name} ended in the middle of its round`);
  });
  died.catch(() => {});
  try {
    await Promise.race([once(child, 'message'), died]);
    const startedAt = performance.now();
    child.send('go');
    await start?.();
    const [{ peakMb }] = (await Promise.race([once(child, 'message'), died])) as [{ peakMb: number }];
    const seconds = (performance.now() - startedAt) / 1_000;
    await end?.();
    return { seconds, peakMb };
  } finally {
    child.kill('SIGKILL');
    await died.catch(() => {});
  }
}
