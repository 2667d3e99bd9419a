import { topics } from '../../contracts/catalogue';
import { createKafka, createTopics } from '../../platform/kafka';

/** Consumer groups with effects, each with a topic for the facts it could not apply. */
const groups = ['analytics', 'audit', 'notifications'] as const;

/** A dead letter is a fact and the reason it is dead, so it may be larger than a fact. */
const deadLetterConfig = { 'retention.ms': '-1', 'max.message.bytes': '2097152' };

/** Creates the topics that are not there yet, under the prefix. */
export async function prepareTopics(brokers: string, prefix: string): Promise<void> {
  const kafka = createKafka({ brokers: brokers.split(','), clientId: 'hailway-stack' });
  await createTopics(kafka, [
    ...topics.map(({ name, partitions, retentionMs }) => ({
      topic: prefix + name,
      partitions,
      config: { 'retention.ms': String(retentionMs), ...(retentionMs > 0 ? shortSegments(retentionMs) : {}) },
    })),
    ...groups.map((group) => ({
      topic: `${prefix}${group}.dead-letter`,
      partitions: 1,
      config: deadLetterConfig,
    })),
  ]);
}

/** Only whole segments are deleted: without this a short retention would be as long as a segment takes to fill. */
const shortSegments = (retentionMs: number): Record<string, string> => ({
  'segment.ms': String(Math.max(60_000, Math.round(retentionMs / 4))),
});
