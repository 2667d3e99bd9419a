import { parseFact, runInbox, type InboxOptions } from '../../../platform/inbox';
import { createKafka, runConsumer, type RawRecord } from '../../../platform/kafka';
import { createMetrics } from '../../../platform/metrics';
import { observeInbox } from '../../../platform/metrics/inbox';
import { createPool, withTransaction } from '../../../platform/postgres';
import { tellProgress, type LogOrder } from './progress';

/** What is done with facts, whoever reads them. */
export type Effect = Pick<InboxOptions, 'handle' | 'skip'>;

/** What a process needs to read the log of its order in one of the ways that contend, until all of it is done. */
export function readingOf(order: LogOrder) {
  const stopping = new AbortController();
  const log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
  const pool = createPool(order.databaseUrl, { applicationName: 'bench', max: 6 });
  const consumer = {
    kafka: createKafka({ brokers: order.brokers, clientId: 'bench', log }),
    ...{ group: order.group, topics: [order.topic], signal: stopping.signal, log },
  };
  const { assigned, reach } = tellProgress(order, () => stopping.abort());

  /** A fact a transaction, which remembers it by its id. */
  async function processOnce(record: RawRecord, { handle, skip }: Effect): Promise<void> {
    const fact = parseFact(record);
    await withTransaction(pool, async (tx) => {
      const { rowCount } = await tx.query({
        name: 'processed',
        text: 'insert into processed_events (event_id) values ($1) on conflict do nothing',
        values: [fact.id],
      });
      if (rowCount === 1 && !skip?.(fact)) await handle(tx, [fact]);
    });
  }

  return {
    ...{ pool, consumer, assigned, reach, processOnce },
    /** So in our consumer, all partitions at once. */
    factByFact: (effect: Effect): Promise<void> =>
      runConsumer({
        ...consumer,
        onAssigned: assigned,
        async onBatch(batch) {
          for (const record of batch.records) {
            if (!batch.isLive()) return;
            await processOnce(record, effect);
            batch.skipTo(record.offset + 1);
          }
          await batch.commit(batch.records.at(-1)!.offset + 1);
          reach(batch.records);
        },
      }),
    /** As Hailway's consumers do, metrics and all. */
    inInbox: (effect: Effect): Promise<void> => {
      const observer = observeInbox({ ...consumer, pool, metrics: createMetrics('bench') });
      return runInbox({
        ...consumer,
        ...{ pool, ...effect, deadLetters: null },
        observer: {
          ...observer,
          assigned(partitions) {
            observer.assigned(partitions);
            assigned(partitions);
          },
          settled(batch, outcome) {
            observer.settled(batch, outcome);
            reach(batch.records);
          },
        },
      });
    },
    /** Reads in that way to the end of the log; then the process may go. */
    run: async (read: () => Promise<void>): Promise<void> => {
      await read();
      await pool.end();
      process.disconnect?.();
    },
  };
}
