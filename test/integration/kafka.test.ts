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

/** A broker with a topic of one partition that answers batches as it is told: by an offset, or an error. */
function brokerAnswering(...answers: (number | Error)[]) {
  const sent: number[] = [];
  let made = 0;
  const kafka = {
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
          const answer = answers.shift();
          if (answer instanceof Error) throw answer;
          return [{ topicName: 't', partition: 0, errorCode: 0, baseOffset: String(answer) }];
        },
      };
    },
  } as unknown as Kafka;
  return { kafka, seen: () => ({ made, sent }) };
}

test('an acknowledgement whose offset does not rise is not believed: the batch is sent again by another producer', async () => {
  const lying = brokerAnswering(10, 10, 11);
  const producer = newProducer(lying.kafka);
  await producer.send([factRecord('t', 'a', 1)]);
  await producer.send([factRecord('t', 'b', 1)]);
  expect(lying.seen()).toEqual({ made: 2, sent: [1, 1, 1] });
});

test('an answer that cannot be read refuses no record: the batch is sent again', async () => {
  const unreadable = new Error('Unexpected', {
    cause: new RangeError('The value of "offset" is out of range'),
  });
  const { kafka, seen } = brokerAnswering(unreadable, new TypeError('of undefined (reading "epoch")'), 10);
  await newProducer(kafka).send([factRecord('t', 'a', 1), factRecord('t', 'a', 2)]);
  expect(seen()).toEqual({ made: 3, sent: [2, 2, 2] });
});

test('a record that cannot be encoded is refused before it is sent', async () => {
  const { kafka, seen } = brokerAnswering(10);
  const producer = newProducer(kafka);
  const good = factRecord('t', 'a', 1);
  for (const wrong of [
    { headers: { ce_sequence: 2 } },
    { headers: null },
    { value: { no: 'text' } },
    { key: 7 },
  ]) {
    const record = { ...good, ...wrong } as unknown as typeof good;
    await expect(producer.send([good, record])).rejects.toMatchObject({ code: 'INVALID_RECORD' });
  }
  await producer.send([good]);
  expect(seen().sent).toEqual([1]);
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
