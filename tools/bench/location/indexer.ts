import { FRESH_MS } from '../../../consumers/location/finder';
import { createPositionsHandler } from '../../../consumers/location/handler';
import { startHolding } from '../../../consumers/location/holding';
import { PositionIndex } from '../../../consumers/location/positionIndex';
import { HEADER_WORDS, readPositionRecord, ROW_WORDS, row } from '../../../contracts/positionRecord';
import { createKafka } from '../../../platform/kafka';
import { createLogger } from '../../../platform/log';
import { isOnRide } from './traffic';

/** What the process is told, as JSON in its first argument. */
export interface IndexerOrder {
  readonly brokers: string[];
  readonly topic: string;
  readonly group: string;
}

/** What it can be asked. */
export interface IndexerMessage {
  readonly digest: boolean;
}

/** What it answers to each message: positions taken so far, its index, what it cost, and the ages of those since the last message. */
export interface IndexerReport {
  readonly ready: boolean;
  /** Partitions that it answers for, up to any age. */
  readonly holds: number;
  readonly taken: number;
  /** Of its index, where it is asked for: that takes a while. */
  readonly digest: number | null;
  /** Processor time since the start. */
  readonly cpuMs: number;
  /** Updates by their age in milliseconds when they were in the index; the last one stands for all above. */
  readonly ages: number[];
}

/** As in consumers/location/main.ts. */
const KEEP_MS = 15 * 60_000;
const MOST_MS = 30_000;

/** A location process's reading and indexing, and how old each position is when it is in the index. */
const order = JSON.parse(process.argv[2]!) as IndexerOrder;
const index = new PositionIndex({ isOnRide });
const handler = createPositionsHandler({ index, keepMs: KEEP_MS, now: Date.now });
const stopping = new AbortController();
let ages = new Array<number>(MOST_MS).fill(0);

const holding = startHolding({
  kafka: createKafka({ brokers: order.brokers, clientId: 'bench-location' }),
  ...{ topic: order.topic, group: order.group, copies: 1, ownUrl: `http://127.0.0.1:${process.pid}` },
  ...{ freshMs: FRESH_MS, keepMs: KEEP_MS },
  take(records) {
    handler.take(records);
    const now = Date.now();
    for (const { value } of records) {
      const { words, count, baseMs } = readPositionRecord(value!);
      for (let n = 0; n < count; n++) {
        const age = now - baseMs + words[HEADER_WORDS + n * ROW_WORDS + row.ageMs]!;
        ages[Math.min(MOST_MS - 1, Math.max(0, age))]!++;
      }
    }
  },
  drop: (partition) => index.dropPartition(partition, () => undefined),
  signal: stopping.signal,
  log: createLogger('bench-location', 'warn'),
});

process.on('message', ({ digest }: IndexerMessage) => {
  const { applied, outdated, silent, refused } = handler.counts;
  const partitions = Array.from({ length: holding.partitions }, (_, partition) => partition);
  const { user, system } = process.cpuUsage();
  process.send!({
    ready: holding.isReady(),
    holds: partitions.filter((partition) => holding.answersFor(partition, Infinity)).length,
    taken: applied + outdated + silent + refused,
    ...{ digest: digest ? index.digest() : null, cpuMs: (user + system) / 1_000, ages },
  } satisfies IndexerReport);
  ages = new Array<number>(MOST_MS).fill(0);
});
process.on('disconnect', () => {
  stopping.abort();
  void holding.done.then(() => process.exit());
});
