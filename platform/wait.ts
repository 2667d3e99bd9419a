import { setTimeout as delay } from 'node:timers/promises';

/** Waits; ends early when the signal is aborted. Never throws: loops look at the signal themselves. */
export async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => {});
}

/**
 * Exponential back-off with jitter: between half and all of `minMs` × 2^attempt (0, 1, …), at most `maxMs`.
 * @param random of 0 up to 1: where between the two
 */
export function backoffMs(
  attempt: number,
  { minMs = 50, maxMs = 5_000 } = {},
  random: number = Math.random(),
): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 20));
  return Math.round(full * (0.5 + random / 2));
}
