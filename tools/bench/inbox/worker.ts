import { inboxReading, parseFact, runInbox } from '../../../platform/inbox';
import { createKafka, runConsumer, type RawRecord } from '../../../platform/kafka';
import { createPool, withTransaction, type Pool } from '../../../platform/postgres';
import { addUp } from './facts';

/** What a contestant's process is told, as JSON in its first argument. */
export interface WorkerOrder {
  readonly contestant: 'perEvent' | 'hailway' | 'floor';
  readonly brokers: string[];
  readonly databaseUrl: string;
  readonly group: string;
  readonly topic: string;
  /** Where the partitions with records end. */
  readonly ends: Readonly<Record<number, number>>;
}

/** What it says: when its partitions were its own, how far it is (0 to 1), and when all was done; by the clock. */
export type WorkerNews =
  | { readonly at: 'assigned'; readonly ms: number }
  | { readonly at: 'progress'; readonly share: number; readonly ms: number }
  | { readonly at: 'done'; readonly ms: number; readonly cpuMs: number };

const order = JSON.parse(process.argv[2]!) as WorkerOrder;
const stopping = new AbortController();
const log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
const pool = createPool(order.databaseUrl, { applicationName: 'bench', max: 6 });
const consumer = {
  kafka: createKafka({ brokers: order.brokers, clientId: 'bench', log }),
  ...{ group: order.group, topics: [order.topic], signal: stopping.signal, log },
};
const say = (news: WorkerNews): void => void process.send?.(news);
process.on('disconnect', () => process.exit(1));

let isAssigned = false;
const assigned = (partitions: Readonly<Record<string, readonly number[]>>): void => {
  if (isAssigned || (partitions[order.topic]?.length ?? 0) === 0) return;
  isAssigned = true;
  say({ at: 'assigned', ms: Date.now() });
};

const reached = new Map<number, number>();
const ends = Object.entries(order.ends).map(([partition, end]) => [Number(partition), end] as const);
const all = ends.reduce((sum, [, end]) => sum + end, 0);
/** The effects of what lies below are committed. */
function reach(records: readonly RawRecord[]): void {
  const last = records.at(-1)!;
  reached.set(last.partition, last.offset + 1);
  const sum = [...reached.values()].reduce((total, next) => total + next, 0);
  const ms = Date.now();
  if (ends.every(([partition, end]) => (reached.get(partition) ?? 0) >= end)) {
    const { user, system } = process.cpuUsage();
    say({ at: 'done', ms, cpuMs: (user + system) / 1_000 });
    stopping.abort();
  } else say({ at: 'progress', share: sum / all, ms });
}

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
