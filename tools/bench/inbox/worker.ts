import { Kafka, logLevel } from 'kafkajs';
import { inboxReading, parseFact } from '../../../platform/inbox';
import { runConsumer } from '../../../platform/kafka';
import { withTransaction } from '../../../platform/postgres';
import { addUp } from './facts';
import type { LogOrder } from './progress';
import { readingOf } from './reading';

/** What a contestant's process is told, as JSON in its first argument. */
export interface WorkerOrder extends LogOrder {
  readonly contestant: 'perEvent' | 'perEventAtOnce' | 'hailway' | 'floor';
}

const order = JSON.parse(process.argv[2]!) as WorkerOrder;
const { pool, consumer, assigned, reach, processOnce, factByFact, inInbox, run } = readingOf(order);

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
      const record = { ...at, key, value, headers };
      await processOnce(record, { handle: addUp });
      reach([record]);
    },
  });
  await new Promise<void>((resolve) => consumer.signal.addEventListener('abort', () => resolve()));
  await reader.disconnect();
}

const contestants: Readonly<Record<WorkerOrder['contestant'], () => Promise<void>>> = {
  perEvent,
  /** The same with all partitions at once, in our consumer. */
  perEventAtOnce: () => factByFact({ handle: addUp }),
  hailway: () => inInbox({ handle: addUp }),
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

void run(contestants[order.contestant]);
