import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { withAdmin, type KafkaLog } from './client';
import { runConsumer, type RawRecord } from './consumer';

const silent: KafkaLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Reads a whole topic from its first record to the end it has at the call, without any group's offsets: for verdicts.
 * Records of a partition come in order, one call at a time.
 * @returns how many records there were.
 * @throws when it takes longer than `timeoutMs` (60 s) or `onRecord` throws.
 */
export async function readTopicRaw(options: {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly onRecord: (record: RawRecord) => void | Promise<void>;
  readonly timeoutMs?: number;
}): Promise<number> {
  const { kafka, topic, onRecord } = options;
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const ends = new Map(
    offsets.filter((o) => Number(o.high) > Number(o.low)).map((o) => [o.partition, Number(o.high)]),
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
  await runConsumer({
    kafka,
    group,
    topics: [topic],
    signal: done.signal,
    log: silent,
    concurrency: 1,
    maxBytesPerPartition: 4_194_304,
    async onBatch(batch) {
      const end = ends.get(batch.partition);
      if (end === undefined) return batch.holdFor(60_000);
      let next = 0;
      try {
        for (const record of batch.records) {
          if (record.offset >= end) break;
          count += 1;
          await onRecord(record);
        }
        next = (batch.records.at(-1)?.offset ?? -1) + 1;
      } catch (error) {
        failure = error;
        return done.abort(error);
      }
      // Committed in a group of its own, so that a new consumer after a crash does not read twice.
      await batch.commit(next);
      if (next >= end) ends.delete(batch.partition);
      if (ends.size === 0) done.abort();
    },
  });
  clearTimeout(timeout);
  await withAdmin(kafka, (admin) => admin.deleteGroups([group])).catch(() => {});
  if (failure !== undefined) throw failure as Error;
  if (ends.size > 0) throw done.signal.reason as Error;
  return count;
}
