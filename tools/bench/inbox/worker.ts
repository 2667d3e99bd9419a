import { inboxReading, parseFact, runInbox } from '../../../platform/inbox';
import { createKafka, runConsumer } from '../../../platform/kafka';
import { createPool, withTransaction, type Pool } from '../../../platform/postgres';
import { addUp } from './facts';
import { tellProgress, type LogOrder } from './progress';

/** What a contestant's process is told, as JSON in its first argument. */
export interface WorkerOrder extends LogOrder {
  readonly contestant: 'perEvent' | 'hailway' | 'floor';
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

const contestants: Readonly<Record<WorkerOrder['contestant'], () => Promise<void>>> = {
  /** As the textbooks have it: each event a transaction, which remembers it by its id. */
  perEvent: () =>
    runConsumer({
      ...consumer,
      onAssigned: assigned,
      async onBatch(batch) {
        for (const record of batch.records) {
          if (!batch.isLive()) return;
          const fact = parseFact(record);
          await withTransaction(pool, async (tx) => {
            const { rowCount } = await tx.query({
              name: 'processed',
              text: 'insert into processed_events (event_id) values ($1) on conflict do nothing',
              values: [fact.id],
            });
            if (rowCount === 1) await addUp(tx, [fact]);
          });
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
