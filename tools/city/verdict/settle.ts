import { setTimeout as sleep } from 'node:timers/promises';

/** What is being waited for, in words with numbers; empty when nothing is. */
export type Waiting = () => Promise<readonly string[]>;

const LOOK_EVERY_MS = 400;

/**
 * Looks until nothing is waited for, for `withinMs` at most.
 * @returns what was still waited for at the end
 * @throws the signal's reason
 */
export async function settle(
  waiting: Waiting,
  withinMs: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = await waiting().catch((error: Error) => [`an answer (${error.message})`]);
    if (left.length === 0 || performance.now() >= deadline) return left;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}
