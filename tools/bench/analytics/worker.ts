import { analytics } from '../../../consumers/analytics/projection';
import { parseFact, runInbox } from '../../../platform/inbox';
import { createKafka, runConsumer } from '../../../platform/kafka';
import { createPool, withTransaction } from '../../../platform/postgres';
import { tellProgress, type LogOrder } from '../inbox/progress';

/** What a contestant's process is told, as JSON in its first argument. */
export interface WorkerOrder extends LogOrder {
  readonly contestant: 'naive' | 'hailway';
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
const { handle, skip } = analytics;

const contestants: Readonly<Record<WorkerOrder['contestant'], () => Promise<void>>> = {
  /** Each fact a transaction, which remembers it by its id; what is done with it is the same. */
  naive: () =>
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
            if (rowCount === 1 && !skip?.(fact)) await handle(tx, [fact]);
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
      ...{ pool, handle, skip, deadLetters: null },
      observer: {
        assigned,
        restarted: () => {},
        during: (_batch, work) => work(),
        settled: ({ records }) => reach(records),
        failed: () => {},
      },
    }),
};

void contestants[order.contestant]().then(async () => {
  await pool.end();
  process.disconnect?.();
});
