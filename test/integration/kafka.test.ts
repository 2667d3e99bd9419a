import {
  createFactProducer,
  createTopics,
  groupLag,
  KafkaRefused,
  partitionFor,
  runConsumer,
  runTelemetry,
  waitForCoordinator,
  withAdmin,
  type FactProducer,
  type Kafka,
} from '../../platform/kafka';
import {
  deleteTopics,
  eventually,
  factRecord,
  quiet,
  readAll,
  running,
  stopAll,
  testKafka,
  testTopic,
  unique,
} from '../support/backbone';

const kafka = testKafka();
const topics: string[] = [];
const producers: FactProducer[] = [];

const newTopic = async (partitions = 3, config = {}): Promise<string> => {
  const topic = await testTopic(kafka, partitions, unique('kafka'), config);
  topics.push(topic);
  return topic;
};
const newProducer = (of: Kafka = kafka): FactProducer => {
  const producer = createFactProducer(of, { log: quiet });
  producers.push(producer);
  return producer;
};
/** Keys whose partition among 3 is the given one. */
const keyIn = (partition: number, n = 0): string => {
  const found = Array.from({ length: 200 }, (_, i) => `key-${i}`).filter(
    (k) => partitionFor(k, 3) === partition,
  )[n];
  return found!;
};

beforeAll(() => waitForCoordinator(kafka), 60_000);
afterEach(stopAll);
afterAll(async () => {
  await Promise.all(producers.map((p) => p.disconnect()));
  await deleteTopics(kafka, topics);
});

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
  expect(await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic))).toHaveLength(2);
});

test('a consumer finishes, commits, and goes on where it was; lag is seen from outside', async () => {
  const topic = await newTopic();
  const group = unique('group');
  const producer = newProducer();
  const seen: number[] = [];
  const consume = () =>
    running((signal) =>
      runConsumer({
        ...{ kafka, group, topics: [topic], signal, log: quiet },
        async onBatch(batch) {
          seen.push(...batch.records.map(({ headers }) => Number(headers['ce_sequence'])));
          await batch.commit(batch.records.at(-1)!.offset + 1);
        },
      }),
    );
  await producer.send([1, 2, 3].map((n) => factRecord(topic, keyIn(2), n)));
  const first = consume();
  await eventually(
    () => seen.length,
    (n) => n === 3,
  );
  await first.stop();
  await producer.send([4, 5].map((n) => factRecord(topic, keyIn(2), n)));
  const behind = await groupLag(kafka, group, [topic]);
  expect(behind.find(({ partition }) => partition === 2)).toMatchObject({ next: 3, end: 5, lag: 2 });
  const second = consume();
  await eventually(
    () => seen.length,
    (n) => n === 5,
  );
  await second.stop();
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect((await groupLag(kafka, group, [topic])).map(({ lag }) => lag)).toEqual([0, 0, 0]);
});

test('a held partition comes again from where it was, and others go on meanwhile', async () => {
  const topic = await newTopic();
  const producer = newProducer();
  const seen: string[] = [];
  let held = 0;
  const consumer = running((signal) =>
    runConsumer({
      ...{ kafka, group: unique('group'), topics: [topic], signal, log: quiet },
      async onBatch(batch) {
        if (batch.partition === 0 && held < 5) {
          held += 1;
          return batch.holdFor(200);
        }
        seen.push(...batch.records.map(({ headers }) => String(headers['ce_id'])));
        await batch.commit(batch.records.at(-1)!.offset + 1);
      },
    }),
  );
  await producer.send([factRecord(topic, keyIn(0), 1), factRecord(topic, keyIn(1), 1)]);
  await eventually(
    () => seen.length,
    (n) => n === 2,
  );
  await consumer.stop();
  expect(held).toBe(5);
  expect(seen).toEqual([`thing.changed/${keyIn(1)}/1`, `thing.changed/${keyIn(0)}/1`]);
});

test('a consumer that was frozen for longer than its session goes on', async () => {
  const topic = await newTopic();
  const producer = newProducer();
  const seen = new Set<number>();
  let frozen = false;
  const consumer = running((signal) =>
    runConsumer({
      ...{ kafka, group: unique('group'), topics: [topic], signal, log: quiet },
      async onBatch(batch) {
        if (!frozen) {
          frozen = true;
          // As SIGSTOP would: no heartbeat, no timer.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 13_000);
        }
        for (const { headers } of batch.records) seen.add(Number(headers['ce_sequence']));
        await batch.commit(batch.records.at(-1)!.offset + 1);
      },
    }),
  );
  await producer.send([factRecord(topic, keyIn(0), 1)]);
  await eventually(
    () => seen.size,
    (n) => n === 1,
    40_000,
  );
  await producer.send([factRecord(topic, keyIn(0), 2)]);
  await eventually(
    () => seen.size,
    (n) => n === 2,
    40_000,
  );
  await consumer.stop();
}, 90_000);

test('telemetry is read from its beginning at every start, also where the log does not begin at 0', async () => {
  const topic = await newTopic(2);
  const group = unique('group');
  const producer = newProducer();
  await producer.send(Array.from({ length: 20 }, (_, i) => factRecord(topic, `driver-${i}`, 1)));
  const readOnce = async (): Promise<number> => {
    let read = 0;
    let caughtUp = false;
    const telemetry = running((signal) =>
      runTelemetry({
        ...{ kafka, group, topics: [topic], signal, log: quiet },
        onRecords: (records) => void (read += records.length),
        onCaughtUp: () => (caughtUp = true),
      }),
    );
    await eventually(() => caughtUp, Boolean);
    const whenCaughtUp = read;
    await telemetry.stop();
    return whenCaughtUp;
  };
  expect(await readOnce()).toBe(20);
  expect(await readOnce()).toBe(20);
  expect((await groupLag(kafka, group, [topic])).map(({ lag }) => lag)).toEqual([0, 0]);
  const [first] = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const cut = Math.floor(Number(first!.high) / 2);
  await withAdmin(kafka, async (admin) => {
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({
      topic,
      partitions: [{ partition: first!.partition, offset: String(cut) }],
    });
  });
  expect(await readOnce()).toBe(20 - cut);
}, 60_000);
