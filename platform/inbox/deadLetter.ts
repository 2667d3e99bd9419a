import { KafkaRefused } from '../kafka/producer';
import type { SettlerOptions } from './options';
import type { ParkedRecord } from './store';

const deadLetterTimeoutMs = 10_000;

/**
 * Original bytes and headers, and beside them why, how often and from where.
 * @throws Error, retriable, where Kafka does not take them now
 */
export async function publishDead(dead: readonly ParkedRecord[], options: SettlerOptions): Promise<void> {
  const { deadLetters, group, log } = options;
  if (deadLetters === null) return;
  const topic = options.deadLetterTopic ?? `${group}.dead-letter`;
  const letters = dead.map(({ record, reason, stack, attempts }) => {
    const original = Object.entries(record.headers).map(([name, value]) => [name, value ?? '']);
    return {
      topic,
      key: record.key,
      value: record.value,
      headers: {
        ...(Object.fromEntries(original) as Record<string, Buffer>),
        dlq_reason: reason ?? '',
        dlq_stack: stack ?? '',
        dlq_attempts: String(attempts),
        dlq_group: group,
        dlq_topic: record.topic,
        dlq_partition: String(record.partition),
        dlq_offset: String(record.offset),
        dlq_time: new Date().toISOString(),
      },
    };
  });
  const send = async (part: typeof letters): Promise<void> => {
    try {
      await deadLetters.send(part, { signal: AbortSignal.timeout(deadLetterTimeoutMs) });
    } catch (error) {
      if (!(error instanceof KafkaRefused))
        throw Object.assign(new Error('dead-letter topic', { cause: error }), { retriable: true });
      if (part.length === 1 || error.code === 'UNKNOWN_TOPIC_OR_PARTITION') {
        // Everything is in inbox_parked too: the partition goes on.
        log.error({ err: error, topic, records: part.length }, 'dead-letter topic refuses the records');
        return;
      }
      // Halves, in order, until the one is found that is refused alone. What was stored already is stored twice.
      const middle = part.length >> 1;
      await send(part.slice(0, middle));
      await send(part.slice(middle));
    }
  };
  await send(letters);
}
