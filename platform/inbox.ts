import type { InboxOptions } from './inbox/options';
import { Settler } from './inbox/settle';
import { Slots } from './inbox/slots';
import { runConsumer, type RawRecord } from './kafka/consumer';
import { partitionName } from './kafka/partition';
import { createFactProducer } from './kafka/producer';
import { isRetriable } from './postgres';
import { backoffMs, wait } from './wait';
import { storedPositions } from './inbox/store';

export type { Applied, Handle } from './inbox/apply';
export { createInboxDeadLetters } from './inbox/deadLetters';
export { MalformedFact, parseFact, timeOf, type Fact } from './inbox/fact';
export type { Skip } from './inbox/sorter';
export { inboxSummary, inboxTables, storedPositions } from './inbox/store';

export type { DeadLetters, InboxOptions } from './inbox/options';

/** How the inbox reads: what a partition may bring at once, and what all together may have in hand. */
export const inboxReading = {
  ahead: { maxRecords: 50_000, maxBytes: 33_554_432 },
  maxBytesPerPartition: 4_194_304,
  /** What goes into one transaction. */
  *slices(records: readonly RawRecord[], maxFacts = 10_000): Generator<readonly RawRecord[]> {
    for (let start = 0; start < records.length; start += maxFacts)
      yield records.slice(start, start + maxFacts);
  },
} as const;

/**
 * Consumes facts until the signal is aborted, then finishes the transactions in hand. Whatever is delivered twice has
 * its effect once: de-duplication, effect and position are one transaction, Kafka's offset follows. The next facts are
 * fetched meanwhile. Facts of a key are applied in order, or not at all: behind one that cannot be applied the key's
 * later ones wait (`inbox_parked`), while other keys go on. What may pass holds the partition, with back-off, while the
 * others go on.
 */
export async function runInbox(options: InboxOptions): Promise<void> {
  const { kafka, group, topics, signal, log, observer, maxTries = 12 } = options;
  const producer = options.deadLetters === undefined ? createFactProducer(kafka, { log }) : undefined;
  const deadLetters = producer ?? options.deadLetters ?? null;
  const stored = await positionsToStartAt(options);
  let isFirst = true;
  const settler = new Settler({ ...options, deadLetters }, new Slots(options.concurrency ?? 3), maxTries);
  try {
    await runConsumer({
      ...{ kafka, group, topics, signal, log },
      ahead: inboxReading.ahead,
      maxBytesPerPartition: inboxReading.maxBytesPerPartition,
      startAt: (partition, _isKept, topic) =>
        isFirst ? (stored.get(partitionName(topic, partition)) ?? 0) : null,
      onAssigned(assigned) {
        isFirst = false;
        observer?.assigned(assigned);
      },
      onRestart: () => observer?.restarted(),
      async onBatch(batch) {
        for (const records of inboxReading.slices(batch.records, options.maxFacts))
          if (!(await settler.settle(batch, records))) return observer?.left(batch);
      },
    });
  } finally {
    await producer?.disconnect();
  }
}

/**
 * Where the database says that partitions go on, by `topic/partition`: asked once, since while members come and go Kafka
 * knows it as well. A database that does not answer is waited for, as nothing could be applied without it.
 */
async function positionsToStartAt({ pool, group, signal, log }: InboxOptions): Promise<Map<string, number>> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await storedPositions(pool, group);
    } catch (error) {
      if (!isRetriable(error)) throw error;
      log.warn({ err: error, group, attempt }, 'inbox waits for its database');
      await wait(backoffMs(attempt), signal);
    }
  }
  return new Map();
}
