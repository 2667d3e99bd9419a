import { Kafka, logLevel } from 'kafkajs';
import { inboxReading, parseFact, runInbox } from '../../../platform/inbox';
import { createKafka, runConsumer } from '../../../platform/kafka';
import { createPool, withTransaction, type Pool } from '../../../platform/postgres';
import { addUp } from './facts';
import { tellProgress, type LogOrder } from './progress';

/** What a contestant's process is told, as JSON in its first argument. */
export interface WorkerOrder extends LogOrder {
  readonly contestant: 'perEvent' | 'perEventAtOnce' | 'hailway' | 'floor';
}

const order = JSON.parse(process.argv[2]!) as WorkerOrder;
const stopping = new AbortController();
const log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
const pool = createPool(order.databaseUrl, { applicationName: 'bench', max: 6 });
const consumer = {
  kafka: createKafka({ brokers: order.brokers, clientId: 'bench', log }),
  ...{ group: order.group, topics: [order.topic], signal: stopping.signal, log },
};
const { assigned, reach } = tellProgress(order, () => stopping.abort());

/** An event a transaction, which remembers it by its id. */
async function processEvent(record: Parameters<typeof parseFact>[0]): Promise<void> {
  const fact = parseFact(record);
  await withTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query({
      name: 'processed',
      text: 'insert into processed_events (event_id) values ($1) on conflict do nothing',
      values: [fact.id],
    });
    if (rowCount === 1) await addUp(tx, [fact]);
  });
}

/** As the textbooks have it, with kafkajs as it comes: one message after another. */
async function perEvent(): Promise<void> {
  const plain = new Kafka({ brokers: order.brokers, clientId: 'bench', logLevel: logLevel.ERROR });
  const reader = plain.consumer({ groupId: order.group });
  reader.on(reader.events.GROUP_JOIN, ({ payload }) => assigned(payload.memberAssignment));
  await reader.connect();
  await reader.subscribe({ topics: [order.topic], fromBeginning: true });
  await reader.run({
    async eachMessage({ topic, partition, message }) {
      const { key, value, headers = {} } = message;
      const at = { topic, partition, offset: Number(message.offset), timestamp: Number(message.timestamp) };
      await processEvent({ ...at, key, value, headers });
      reach([{ ...at, key, value, headers }]);
    },
  });
  await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  await reader.disconnect();
}

const contestants: Readonly<Record<WorkerOrder['contestant'], () => Promise<void>>> = {
  perEvent,
  /** The same with all partitions at once, in our consumer. */
  perEventAtOnce: () =>
    runConsumer({
      ...consumer,
      onAssigned: assigned,
      async onBatch(batch) {
        for (const record of batch.records) {
          if (!batch.isLive()) return;
          await processEvent(record);
          batch.skipTo(record.offset + 1);
        }
        await batch.commit(batch.records.at(-1)!.offset + 1);
        reach(batch.records);
      },
    }),
  hailway: () =>
    runInbox({
      ...consumer,
      ...{ pool, handle: addUp, deadLetters: null },
      observer: {
        assigned,
        restarted: () => {},
        during: (_batch, work) => work(),
        settled: ({ records }) => reach(records),
        failed: () => {},
      },
    }),
  /** Hailway's batches without what makes an effect happen once. */
  floor: () =>
    runConsumer({
      ...consumer,
      ...inboxReading,
      onAssigned: assigned,
      async onBatch(batch) {
        for (const records of inboxReading.slices(batch.records)) {
          if (!batch.isLive()) return;
          await withTransaction(pool, (tx) => addUp(tx, records.map(parseFact)));
          await batch.commit(records.at(-1)!.offset + 1);
          reach(records);
        }
      },
    }),
};

void contestants[order.contestant]().then(async () => {
  await (pool satisfies Pool).end();
  process.disconnect?.();
});
