import type { Pool } from 'pg';
import { applyRecords, type Applied, type Handle } from './inbox/apply';
import type { ParkedRecord } from './inbox/store';
import type { Kafka, KafkaLog } from './kafka/client';
import { runConsumer, type ConsumedBatch, type RawRecord } from './kafka/consumer';
import { createFactProducer, KafkaRefused, type FactProducer } from './kafka/producer';
import { isRetriable } from './postgres';
import { backoffMs } from './wait';

export type { Handle } from './inbox/apply';
export { MalformedFact, parseFact, type Fact } from './inbox/fact';
export { inboxSummary } from './inbox/store';

export interface InboxOptions {
  /** Consumer group, also the name under which the database keeps positions and sequences. */
  readonly group: string;
  readonly topics: readonly string[];
  /** The consumer's database, with `inboxMigrations`. */
  readonly pool: Pool;
  readonly kafka: Kafka;
  /**
   * Applies facts, each of which is given once in the life of the database unless its transaction was rolled back.
   * Everything it changes goes through `tx`. Calls for different partitions overlap. What it throws is retried for as
   * long as it takes if `isRetriable` says so; otherwise the fact goes to the dead-letter topic and its key is parked.
   */
  readonly handle: Handle;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  /** Facts of one transaction at most (2,000). */
  readonly maxFacts?: number;
  /** `<group>.dead-letter`; it must exist and take records somewhat larger than the topics do. */
  readonly deadLetterTopic?: string;
  /** Told of every transaction. */
  readonly onApplied?: (applied: Applied) => void;
}

const deadLetterTimeoutMs = 10_000;

/**
 * Consumes facts until the signal is aborted, then finishes the transaction in hand. Whatever is delivered twice has
 * its effect once: de-duplication, effect and position are one transaction, Kafka's offset follows. Facts of a key are
 * applied in order, or not at all: behind one that cannot be applied the key's later ones wait (`inbox_parked`), while
 * other keys go on. A retriable error holds the partition, with back-off, while the others go on.
 */
export async function runInbox(options: InboxOptions): Promise<void> {
  const { kafka, group, topics, signal, log } = options;
  const producer = createFactProducer(kafka, { log });
  const failures = new Map<string, number>();
  const maxFacts = options.maxFacts ?? 2_000;
  try {
    await runConsumer({
      ...{ kafka, group, topics, signal, log },
      async onBatch(batch) {
        for (let start = 0; start < batch.records.length && batch.isLive(); start += maxFacts) {
          const records = batch.records.slice(start, start + maxFacts);
          if (!(await settle(batch, records, options, producer, failures))) return;
        }
      },
    });
  } finally {
    await producer.disconnect();
  }
}

/** Applies records and tells Kafka; false when they have to come again and the partition is held until then. */
async function settle(
  batch: ConsumedBatch,
  records: readonly RawRecord[],
  options: InboxOptions,
  producer: FactProducer,
  failures: Map<string, number>,
): Promise<boolean> {
  const { group, log } = options;
  const place = { group, topic: batch.topic, partition: batch.partition };
  const failuresKey = `${batch.topic}/${batch.partition}`;
  const attempts = (failures.get(failuresKey) ?? 0) + 1;
  const apply = (oneByOne: boolean): Promise<Applied> =>
    applyRecords({
      ...{
        pool: options.pool,
        place,
        records,
        endOffset: batch.endOffset,
        handle: options.handle,
        oneByOne,
        attempts,
      },
      deadLetter: (dead) => publishDead(dead, attempts, options, producer),
    });
  let applied: Applied;
  try {
    applied = await apply(false).catch((error: unknown) => {
      if (isRetriable(error)) throw error;
      log.warn(
        { err: error, ...place, records: records.length },
        'batch failed, applying its facts one by one',
      );
      return apply(true);
    });
  } catch (error) {
    failures.set(failuresKey, attempts);
    const ms = backoffMs(attempts, { minMs: 50, maxMs: 5_000 });
    log.warn({ err: error, ...place, attempts, againInMs: ms }, 'facts not applied, trying again');
    batch.holdFor(ms);
    return false;
  }
  failures.delete(failuresKey);
  for (const { reason, factId, key, record } of applied.parked) {
    if (reason === null) log.debug({ ...place, factId, key }, 'fact waits behind a parked one');
    else
      log.error(
        { ...place, offset: record.offset, factId, key, reason, attempts },
        'fact dead-lettered, key parked',
      );
  }
  options.onApplied?.(applied);
  await batch.commit((records.at(-1)?.offset ?? -1) + 1);
  return true;
}

/** Original bytes and headers, and beside them why, how often and from where. */
async function publishDead(
  dead: readonly ParkedRecord[],
  attempts: number,
  options: InboxOptions,
  producer: FactProducer,
): Promise<void> {
  const topic = options.deadLetterTopic ?? `${options.group}.dead-letter`;
  const letters = dead.map(({ record, reason, stack }) => {
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
        dlq_group: options.group,
        dlq_topic: record.topic,
        dlq_partition: String(record.partition),
        dlq_offset: String(record.offset),
        dlq_time: new Date().toISOString(),
      },
    };
  });
  try {
    await producer.send(letters, { signal: AbortSignal.timeout(deadLetterTimeoutMs) });
  } catch (error) {
    if (!(error instanceof KafkaRefused))
      throw Object.assign(new Error('dead-letter topic', { cause: error }), { retriable: true });
    // Everything is in inbox_parked too: the partition goes on.
    options.log.error(
      { err: error, topic, records: letters.length },
      'dead-letter topic refuses the records',
    );
  }
}
