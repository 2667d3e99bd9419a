import type { Logger } from './log';
import { backoffMs, wait } from './wait';

export interface PollOptions {
  readonly everyMs: number;
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
    async run(look, { everyMs, signal, log, trouble }) {
      let failures = 0;
      while (!signal.aborted) {
        asked = false;
        try {
          await look();
          failures = 0;
        } catch (error) {
          if (failures === 0) log.warn({ err: error }, trouble);
          failures += 1;
        }
        if (failures === 0) await pause(everyMs, signal);
        else await wait(backoffMs(failures, { minMs: everyMs, maxMs: 2_000 }), signal);
      }
    },
  };
}
