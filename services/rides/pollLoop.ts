import type { Logger } from '../../platform/log';
import { backoffMs, wait } from '../../platform/wait';

export interface PollLoopOptions {
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, 'warn'>;
}

/** Looks again and again until `signal`; while looking fails it waits longer each time, up to 2 s. */
export async function pollLoop(
  look: () => Promise<void>,
  { everyMs, signal, log }: PollLoopOptions,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await look();
      failures = 0;
    } catch (error) {
      if (failures === 0) log.warn({ err: error }, 'streams get no news');
      failures += 1;
    }
    await wait(failures === 0 ? everyMs : backoffMs(failures, { minMs: everyMs, maxMs: 2_000 }), signal);
  }
}
