import {
  createFactProducer,
  partitionFor,
  waitForCoordinator,
  type FactProducer,
  type Kafka,
} from '../../platform/kafka';
import { deleteTopics, quiet, stopAll, testKafka, testTopic, unique } from './backbone';

/** For a test file about Kafka: topics and producers of its own, gone at its end. */
export function useKafka() {
  const kafka = testKafka();
  const topics: string[] = [];
  const producers: FactProducer[] = [];
  beforeAll(() => waitForCoordinator(kafka), 60_000);
  afterEach(stopAll);
  afterAll(async () => {
    await Promise.all(producers.map((p) => p.disconnect()));
    await deleteTopics(kafka, topics);
  });
  return {
    kafka,
    newTopic: async (partitions = 3, config = {}): Promise<string> => {
      const topic = await testTopic(kafka, partitions, unique('kafka'), config);
      topics.push(topic);
      return topic;
    },
    newProducer: (of: Kafka = kafka): FactProducer => {
      const producer = createFactProducer(of, { log: quiet });
      producers.push(producer);
      return producer;
    },
  };
}

/** A key (the first, or the n-th) whose partition among 3 is the given one. */
export function keyIn(partition: number, n = 0): string {
  const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`);
  return keys.filter((key) => partitionFor(key, 3) === partition)[n]!;
}
