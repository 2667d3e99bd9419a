import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { withAdmin, type KafkaLog } from './client';
import { runConsumer, type RawRecord } from './consumer';

const silent: KafkaLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Places in a topic's partitions, by their number. */
export type Offsets = Readonly<Record<number, number>>;

/** The offsets of a partition from `from` on that are below `to`, or as far as it goes. */
export interface OffsetRange {
  readonly from: number;
  readonly to?: number;
}

const everything = (): OffsetRange => ({ from: 0 });

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
 * Reads what a topic has at the call, or of its partitions what `rangeOf` says, without any group's offsets. Records of a
 * partition come in order, one call at a time.
 * @returns how many records there were.
 * @throws when it takes longer than `timeoutMs` (60 s), the signal is aborted or `onRecord` throws.
 */
export async function readTopicRaw(options: {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly onRecord: (record: RawRecord) => void | Promise<void>;
  readonly timeoutMs?: number;
  /** What is read of a partition; undefined where nothing is. */
  readonly rangeOf?: (partition: number) => OffsetRange | undefined;
  readonly signal?: AbortSignal;
  /** Hears how the reading goes; nobody unless told. */
  readonly log?: KafkaLog;
  /** Who reads: its right is to groups of this name (`contracts/access.ts`). */
  readonly reader?: string;
}): Promise<number> {
  const { kafka, topic, onRecord, rangeOf = everything, signal, log = silent } = options;
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const next = new Map<number, number>();
  const ends = new Map<number, number>();
  for (const { partition, low, high } of offsets) {
    const { from, to = Infinity } = rangeOf(partition) ?? { from: 0, to: 0 };
    const [begin, end] = [Math.max(Number(low), from), Math.min(Number(high), to)];
    // Of what is not to be read nothing is fetched but what comes meanwhile.
    next.set(partition, begin < end ? begin : Number(high));
    if (begin < end) ends.set(partition, end);
  }
  if (ends.size === 0) return 0;

  const done = new AbortController();
  const timeoutMs = options.timeoutMs ?? 60_000;
  const timeout = setTimeout(() => done.abort(new Error(`reading ${topic} took too long`)), timeoutMs);
  const reading = signal ? AbortSignal.any([done.signal, signal]) : done.signal;
  const group = ['raw', ...(options.reader ? [options.reader] : []), randomUUID()].join('-');
  let count = 0;
  let failure: unknown;
  await runConsumer({
    kafka,
    group,
    topics: [topic],
    signal: reading,
    log,
    concurrency: 1,
    maxBytesPerPartition: 4_194_304,
    // A new consumer after a crash goes on where the last one was.
    startAt: (partition) => next.get(partition) ?? 0,
    async onBatch(batch) {
      const end = ends.get(batch.partition);
      if (end === undefined) return batch.holdFor(timeoutMs);
      try {
        for (const record of batch.records) {
          if (reading.aborted) return;
          // The log may have dropped what stood just before the end.
          if (record.offset < end) {
            count += 1;
            await onRecord(record);
          }
          next.set(batch.partition, Math.min(end, record.offset + 1));
          if (record.offset >= end) break;
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
  // Who leaves off does not wait for Kafka, which forgets an empty group by itself.
  if (!signal?.aborted) await withAdmin(kafka, (admin) => admin.deleteGroups([group])).catch(() => {});
  if (failure !== undefined) throw failure as Error;
  if (ends.size > 0) throw reading.reason as Error;
  return count;
}
