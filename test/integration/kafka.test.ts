import { createTopics, KafkaRefused, partitionFor, withAdmin, type Kafka } from '../../platform/kafka';
import { factRecord, readAll } from '../support/backbone';
import { keyIn, useKafka } from '../support/kafkaBench';

const { kafka, newTopic, newProducer } = useKafka();

test('a key is in the partition where the Java client puts it', () => {
  // org.apache.kafka.common.utils.UtilsTest
  expect([partitionFor('21', 0x7fffffff), partitionFor('foobar', 0x7fffffff)]).toEqual([
    -973932308 & 0x7fffffff,
    -790332482 & 0x7fffffff,
  ]);
});

test('what is acknowledged after a rejected send is in the log', async () => {
  const topic = await newTopic();
  const producer = newProducer();
  await producer.send([factRecord(topic, keyIn(0), 1)]);
  const tooLarge = factRecord(topic, keyIn(1), 1, { filling: 'x'.repeat(2_000_000) });
  await expect(producer.send([factRecord(topic, keyIn(0), 2), tooLarge])).rejects.toThrow(KafkaRefused);
  await producer.send([factRecord(topic, keyIn(0, 1), 1)]);

  const ids = (await readAll(kafka, topic)).map(({ headers }) => String(headers['ce_id']));
  expect(ids).toContain(`thing.changed/${keyIn(0, 1)}/1`);
});

test('an acknowledgement whose offset does not rise is not believed: the batch is sent again by another producer', async () => {
  const answers = [10, 10, 11];
  const sent: number[] = [];
  let made = 0;
  const lying = {
    admin: () => ({
      connect: async () => {},
      disconnect: async () => {},
      fetchTopicMetadata: async () => ({ topics: [{ name: 't', partitions: [{}] }] }),
    }),
    producer: () => {
      made += 1;
      return {
        connect: async () => {},
        disconnect: async () => {},
        sendBatch: async (batch: { topicMessages: { messages: unknown[] }[] }) => {
          sent.push(batch.topicMessages[0]!.messages.length);
          return [{ topicName: 't', partition: 0, errorCode: 0, baseOffset: String(answers.shift()) }];
        },
      };
    },
  } as unknown as Kafka;
  const producer = newProducer(lying);
  await producer.send([factRecord('t', 'a', 1)]);
  await producer.send([factRecord('t', 'b', 1)]);
  expect({ made, sent }).toEqual({ made: 2, sent: [1, 1, 1] });
});

test('a batch larger than a partition takes at once goes in parts, in order', async () => {
  const topic = await newTopic(1);
  const records = Array.from({ length: 50 }, (_, i) =>
    factRecord(topic, 'a', i + 1, { filling: 'x'.repeat(100_000) }),
  );
  await newProducer().send(records);
  const sequences = (await readAll(kafka, topic)).map(({ headers }) => Number(headers['ce_sequence']));
  expect(sequences).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

test('sends that are made at once are stored one after another', async () => {
  const topic = await newTopic();
  const producer = newProducer();
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => producer.send([factRecord(topic, keyIn(0), i + 1)])),
  );
  expect((await readAll(kafka, topic)).map(({ headers }) => Number(headers['ce_sequence']))).toEqual(
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
});

test('topics are created once and left as they are', async () => {
  const topic = await newTopic(2);
  await createTopics(kafka, [{ topic, partitions: 5 }]);
  const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
  expect(topics[0]?.partitions).toHaveLength(2);
});
