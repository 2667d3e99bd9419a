import type { Logger } from './log';
import { backoffMs, wait } from './wait';

export interface PollOptions {
  /** So long from the end of a look to the next. */
  readonly everyMs: number;
  /** So long from begin to begin instead, on average, where a look does not take longer: so many looks a second. */
  readonly isSteady?: boolean;
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, 'warn'>;
  /** What is the matter when looking fails: 'streams get no news'. */
  readonly trouble: string;
}

export interface Poll {
  /** Looks at once instead of when it is time: somebody new waits. */
  soon(): void;
  /** Looks again and again until `signal`; while looking fails it waits longer each time, up to 2 s. */
  run(look: () => Promise<void>, options: PollOptions): Promise<void>;
}

/** One loop that looks for news; whatever comes while it looks is seen to by its next look. */
export function createPoll(): Poll {
  let asked = false;
  let wake: AbortController | undefined;

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    wake = new AbortController();
    const stop = (): void => wake?.abort();
    signal.addEventListener('abort', stop);
    if (!signal.aborted && !asked) await wait(ms, wake.signal);
    signal.removeEventListener('abort', stop);
    wake = undefined;
  }

  return {
    soon() {
      asked = true;
      wake?.abort();
    },
    async run(look, { everyMs, isSteady = false, signal, log, trouble }) {
      let failures = 0;
      let due = performance.now();
      while (!signal.aborted) {
        asked = false;
        try {
          await look();
          failures = 0;
        } catch (error) {
          if (failures === 0) log.warn({ err: error }, trouble);
          failures += 1;
        }
        const now = performance.now();
        // A timer that fires late is made up for by the next one; looks that were missed are not.
        due = Math.min(Math.max(now, (isSteady ? due : now) + everyMs), now + everyMs);
        if (failures === 0) await pause(due - now, signal);
        else await wait(backoffMs(failures, { minMs: everyMs, maxMs: 2_000 }), signal);
      }
    },
  };
}
