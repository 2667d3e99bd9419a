import type { KafkaLog } from '../../platform/kafka';
import { backoffMs, wait } from '../../platform/wait';

/**
 * Asks Kafka about its log, or reads a part of it, with back-off until that has worked.
 * @returns undefined where the signal was aborted before
 */
export async function askUntilAnswered<T>(
  ask: () => Promise<T>,
  { topic, signal, log }: { readonly topic: string; readonly signal: AbortSignal; readonly log: KafkaLog },
): Promise<T | undefined> {
  const listening = new AbortController();
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { signal: listening.signal });
  });
  try {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        // Kafka may not answer for longer than there is time to stop.
        return await Promise.race([ask(), stopped]);
      } catch (error) {
        if (signal.aborted) break;
        log.warn({ err: error, topic }, 'the log could not be asked or read yet');
        await wait(backoffMs(attempt, { minMs: 100, maxMs: 2_000 }), signal);
      }
    }
    return undefined;
  } finally {
    listening.abort();
  }
}
