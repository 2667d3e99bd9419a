import { isRetriable } from '../../platform/postgres';
import type { KafkaLog } from '../../platform/kafka';
import { backoffMs, wait } from '../../platform/wait';

/**
 * Tries work until it is done, with back-off, for as long as it is wanted.
 * @returns what it came to; undefined where it is not wanted any more
 * @throws what does not pass
 */
export async function untilDone<T>(
  work: () => Promise<T>,
  options: {
    readonly isWanted: () => boolean;
    readonly signal: AbortSignal;
    readonly log: KafkaLog;
    /** What is the matter while it fails: 'zones are not told'. */
    readonly trouble: string;
  },
): Promise<T | undefined> {
  const { isWanted, signal, log, trouble } = options;
  for (let attempt = 0; isWanted(); attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isRetriable(error)) throw error;
      log.warn({ err: error, attempt }, trouble);
      await wait(backoffMs(attempt), signal);
    }
  }
  return undefined;
}
