import { connect } from 'node:net';
import { groupLag, runConsumer, runTelemetry, withAdmin } from '../../platform/kafka';
import { Kafka } from '../../platform/kafka/kafkajs';
import { eventually, factRecord, quiet, running, unique } from '../support/backbone';
import { fromSetup } from '../support/fromSetup';
import { keyIn, useKafka } from '../support/kafkaBench';

const { kafka, newTopic, newProducer } = useKafka();

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

test('what was damaged on its way is not given to anybody: the consumer says so and asks again', async () => {
  const topic = await newTopic(1);
  await newProducer().send([factRecord(topic, 'key', 1, 'whole')]);
  let isDamaging = true;
  const damaging = new Kafka({
    ...{ brokers: fromSetup('KAFKA_BROKERS').split(','), logLevel: 0 },
    socketFactory({ host, port, onConnect }) {
      const socket = connect({ host, port }, onConnect);
      return socket.on('data', (bytes) => {
        const at = isDamaging ? bytes.indexOf('whole') : -1;
        if (at >= 0) bytes.write('W', at);
      });
    },
  });
  const said: string[] = [];
  const seen: string[] = [];
  const warn = ({ err }: { err?: Error }): void => void said.push(err?.message ?? '');
  const consumer = running((signal) =>
    runConsumer({
      ...{ kafka: damaging, group: unique('group'), topics: [topic], signal },
      log: { debug() {}, info() {}, warn, error() {} },
      async onBatch(batch) {
        seen.push(...batch.records.map(({ value }) => String(value)));
        await batch.commit(batch.records.at(-1)!.offset + 1);
      },
    }),
  );
  await eventually(
    () => said.length,
    (times) => times >= 2,
  );
  expect(said[0]).toMatch(
    /^the batch of records from offset 0 is damaged: its checksum says \d+, its bytes \d+$/,
  );
  expect(seen).toEqual([]);
  isDamaging = false;
  await eventually(
    () => seen.length,
    (n) => n > 0,
  );
  await consumer.stop();
  expect(seen).toEqual(['whole']);
});

test('a consumer that was frozen for longer than its session goes on', async () => {
  const topic = await newTopic();
  const producer = newProducer();
  const seen = new Set<number>();
  let frozen = false;
  let joined = 0;
  const consumer = running((signal) =>
    runConsumer({
      ...{ kafka, group: unique('group'), topics: [topic], signal, log: quiet },
      onAssigned: () => void (joined += 1),
      async onBatch(batch) {
        if (!frozen) {
          frozen = true;
          // As SIGSTOP would: no heartbeat, no timer, for longer than the session's ten seconds.
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
  // The session was over.
  expect(joined).toBeGreaterThan(1);
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
