import { randomUUID } from 'node:crypto';
import { storedRecords } from '../../consumers/audit/replaySource';
import { storedPositions } from '../../platform/inbox';
import {
  partitionName,
  runConsumer,
  withAdmin,
  type Kafka,
  type KafkaLog,
  type Partition,
} from '../../platform/kafka';
import type { Pool } from '../../platform/postgres';
import { PartitionFeed, type ReadStore } from './feed';
import { mustHaveNoGaps } from './storeGaps';

export interface FactLogOptions {
  readonly kafka: Kafka;
  /** The audit store, for what Kafka has no more. */
  readonly audit: Pool;
  /** The group under which the store's own consumer keeps its positions. */
  readonly auditGroup: string;
  /** With their prefix. */
  readonly topics: readonly string[];
  readonly log: KafkaLog;
}

/** All there ever was of some topics, partition by partition. */
export interface FactLog {
  readonly feeds: readonly PartitionFeed[];
  /** Where each partition ended when the log was opened. */
  readonly ends: Positions;
  close(): Promise<void>;
}

/** Offsets by the partitions' names. */
export type Positions = ReadonlyMap<string, number>;

/** Stored records that are read at once. */
const PAGE = 1_000;
/** Until a partition is read on that has enough in memory. */
const FULL_MS = 50;

/**
 * Opens topics from their very first record on: from the audit store as far as Kafka has them no more, then from Kafka.
 * @throws Error where neither has some of them: the store is behind what Kafka has dropped, or could not take it
 */
export async function openFactLog(options: FactLogOptions): Promise<FactLog> {
  const { kafka, audit, topics, log } = options;
  const partitions = await withAdmin(kafka, async (admin) => {
    const found = [];
    for (const topic of topics)
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
        found.push({ topic, partition, begin: Number(low), end: Number(high) });
    return found;
  });
  await mustBeStored(options, partitions);
  const feeds = partitions.map(
    ({ topic, partition, begin }) =>
      new PartitionFeed(
        topic,
        partition,
        begin,
        begin > 0 ? createStoreReader(audit, { topic, partition }, begin) : null,
      ),
  );
  const closing = new AbortController();
  const reading = topics.map((topic) => readKafka({ kafka, topic, log }, feeds, closing.signal));
  return {
    feeds,
    ends: new Map(partitions.map((one) => [partitionName(one.topic, one.partition), one.end])),
    async close() {
      closing.abort();
      await Promise.all(reading);
    },
  };
}

async function mustBeStored(
  { audit, auditGroup }: FactLogOptions,
  partitions: readonly { topic: string; partition: number; begin: number }[],
): Promise<void> {
  const stored = await storedPositions(audit, auditGroup);
  const begins = new Map(partitions.map((one) => [partitionName(one.topic, one.partition), one.begin]));
  for (const [name, begin] of begins) {
    const end = stored.get(name) ?? 0;
    if (begin > end)
      throw new Error(
        `Kafka has ${name} from ${begin} on, the audit store up to ${end}: facts between are in neither`,
      );
  }
  await mustHaveNoGaps(audit, auditGroup, begins);
}

function createStoreReader(audit: Pool, partition: Partition, below: number): ReadStore {
  let from = 0;
  return async () => {
    const records = await storedRecords(audit, partition, { from, below, limit: PAGE });
    const last = records.at(-1);
    if (last === undefined) return null;
    from = last.offset + 1;
    return records;
  };
}

/** Gives a topic's records to its feeds until `signal`; what goes wrong goes to them, too. */
async function readKafka(
  { kafka, topic, log }: { kafka: Kafka; topic: string; log: KafkaLog },
  allFeeds: readonly PartitionFeed[],
  signal: AbortSignal,
): Promise<void> {
  const feeds = new Map(
    allFeeds.filter((feed) => feed.topic === topic).map((feed) => [feed.partition, feed]),
  );
  const group = `replay-${randomUUID()}`;
  await runConsumer({
    ...{ kafka, group, topics: [topic], signal, log },
    startAt: (partition) => feeds.get(partition)?.next ?? null,
    onBatch(batch) {
      const feed = feeds.get(batch.partition);
      // Held, not waited for: kafkajs fetches for all of a broker's partitions at once.
      if (feed === undefined || feed.isFull) batch.holdFor(FULL_MS);
      else {
        try {
          feed.offer(batch.records);
        } catch (error) {
          feed.fail(error as Error);
        }
        batch.skipTo((batch.records.at(-1)?.offset ?? -1) + 1);
      }
      return Promise.resolve();
    },
  });
  await withAdmin(kafka, (admin) => admin.deleteGroups([group])).catch(() => {});
}
