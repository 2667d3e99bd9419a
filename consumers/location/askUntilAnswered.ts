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
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted) break;
      log.warn({ err: error, topic }, 'Kafka has not answered about the log yet');
      await wait(backoffMs(attempt, { minMs: 100, maxMs: 2_000 }), signal);
    }
  }
  return undefined;
}
