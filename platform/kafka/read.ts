import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { withAdmin, type KafkaLog } from './client';
import { runConsumer, type RawRecord } from './consumer';

const silent: KafkaLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Places in a topic's partitions, by their number. */
export type Offsets = Readonly<Record<number, number>>;

/** Where a topic's partitions end: the offsets of their next records. */
export async function endOffsets(kafka: Kafka, topic: string): Promise<Offsets> {
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  return Object.fromEntries(ends.map(({ partition, high }) => [partition, Number(high)]));
}

/** Where a topic's partitions begin: the offsets of the first records that are kept. */
export async function beginOffsets(kafka: Kafka, topic: string): Promise<Offsets> {
  const kept = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  return Object.fromEntries(kept.map(({ partition, low }) => [partition, Number(low)]));
}

/** What a partition has of its log: the offsets of its first record and of its next. */
export async function keptOffsets(
  kafka: Kafka,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): Promise<{ readonly begin: number; readonly end: number }> {
  const kept = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const one = kept.find((each) => each.partition === partition);
  if (!one) throw new Error(`${topic} has no partition ${partition}`);
  return { begin: Number(one.low), end: Number(one.high) };
}

/** Where the records begin that were sent at that time or later, in milliseconds since 1970. */
export async function offsetsSince(kafka: Kafka, topic: string, ms: number): Promise<Offsets> {
  const begins = await withAdmin(kafka, (admin) => admin.fetchTopicOffsetsByTimestamp(topic, ms));
  return Object.fromEntries(begins.map(({ partition, offset }) => [partition, Number(offset)]));
}

/**
 * Reads a topic from its first record, or from `from` on, to the end it has at the call, without any group's offsets.
 * Records of a partition come in order, one call at a time.
 * @returns how many records there were.
 * @throws when it takes longer than `timeoutMs` (60 s), the signal is aborted or `onRecord` throws.
 */
export async function readTopicRaw(options: {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly onRecord: (record: RawRecord) => void | Promise<void>;
  readonly timeoutMs?: number;
  /** The first offset to read, by partition. */
  readonly from?: Offsets;
  /** The offsets to stop before, of those partitions that are to be read; of all of them their ends, unless told. */
  readonly to?: Offsets;
  readonly signal?: AbortSignal;
}): Promise<number> {
  const { kafka, topic, onRecord, from = {}, to, signal } = options;
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const next = new Map(
    offsets.map(({ partition, low }) => [partition, Math.max(Number(low), from[partition] ?? 0)]),
  );
  const ends = new Map(
    offsets
      .map(
        ({ partition, high }) =>
          [partition, to ? Math.min(to[partition] ?? 0, Number(high)) : Number(high)] as const,
      )
      .filter(([partition, end]) => next.get(partition)! < end),
  );
  if (ends.size === 0) return 0;

  const done = new AbortController();
  const timeout = setTimeout(
    () => done.abort(new Error(`reading ${topic} took too long`)),
    options.timeoutMs ?? 60_000,
  );
  const group = `raw-${randomUUID()}`;
  let count = 0;
  let failure: unknown;
  const reading = signal ? AbortSignal.any([done.signal, signal]) : done.signal;
  await runConsumer({
    kafka,
    group,
    topics: [topic],
    signal: reading,
    log: silent,
    concurrency: 1,
    maxBytesPerPartition: 4_194_304,
    // A new consumer after a crash goes on where the last one was.
    startAt: (partition) => next.get(partition) ?? 0,
    async onBatch(batch) {
      const end = ends.get(batch.partition);
      if (end === undefined) return batch.holdFor(60_000);
      try {
        for (const record of batch.records) {
          if (record.offset >= end) break;
          count += 1;
          await onRecord(record);
          next.set(batch.partition, record.offset + 1);
        }
      } catch (error) {
        failure = error;
        return done.abort(error);
      }
      const behind = next.get(batch.partition)!;
      batch.skipTo(behind);
      if (behind >= end) ends.delete(batch.partition);
      if (ends.size === 0) done.abort();
    },
  });
  clearTimeout(timeout);
  await withAdmin(kafka, (admin) => admin.deleteGroups([group])).catch(() => {});
  if (failure !== undefined) throw failure as Error;
  if (ends.size > 0) throw reading.reason as Error;
  return count;
}
