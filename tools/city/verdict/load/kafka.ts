import { topics, topicsRead } from '../../../../contracts/catalogue';
import { consumers, factGroup, type ConsumerName } from '../../../../contracts/consumers';
import { groupLag, readTopicRaw, withAdmin, type Kafka, type RawRecord } from '../../../../platform/kafka';
import type { Evidence, LogRecord } from '../evidence';

export const factTopics = topics.map(({ name }) => name).filter((name) => name !== 'driver-positions');

/** What each consumer group reads, by the catalogue; audit takes every fact, location and tracks the positions. */
const consumerTopics: Readonly<Record<string, readonly string[]>> = {
  location: ['driver-positions'],
  'tracks-zones': ['driver-positions'],
  'tracks-paths': ['driver-positions'],
  ...Object.fromEntries(
    (Object.keys(consumers) as ConsumerName[]).map((consumer) => [factGroup(consumer), topicsRead(consumer)]),
  ),
};

/** The fact topics raw from offset 0, a partition's records in order, and how many dead letters there are. */
export async function loadKafka(
  kafka: Kafka,
  topicPrefix: string,
): Promise<Pick<Evidence, 'log' | 'deadLetters'>> {
  const log: LogRecord[] = [];
  await Promise.all(
    factTopics.map((topic) =>
      readTopicRaw({
        kafka,
        topic: topicPrefix + topic,
        onRecord: (record) => void log.push(logRecord(topic, record)),
      }),
    ),
  );
  const deadLetters = await withAdmin(kafka, async (admin) => {
    const names = (await admin.listTopics()).filter(
      (name) => name.startsWith(topicPrefix) && name.endsWith('.dead-letter'),
    );
    const counts: Record<string, number> = {};
    for (const name of names) {
      const offsets = await admin.fetchTopicOffsets(name);
      counts[name] = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
    }
    return counts;
  });
  return { log, deadLetters };
}

function logRecord(topic: string, { partition, offset, key, headers }: RawRecord): LogRecord {
  return {
    topic,
    partition,
    offset,
    key: key?.toString() ?? '',
    id: headers['ce_id']?.toString() ?? '',
    sequence: Number(headers['ce_sequence']?.toString()),
  };
}

/** By consumer: records it has yet to take, and those it has taken, by its group's offsets. */
export async function consumerProgress(
  kafka: Kafka,
  topicPrefix: string,
): Promise<Record<string, { lag: number; taken: number }>> {
  const progress: Record<string, { lag: number; taken: number }> = {};
  for (const [consumer, names] of Object.entries(consumerTopics)) {
    const partitions = await groupLag(
      kafka,
      topicPrefix + consumer,
      names.map((name) => topicPrefix + name),
    );
    progress[consumer] = {
      lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
      taken: partitions.reduce((sum, { next }) => sum + next, 0),
    };
  }
  return progress;
}
