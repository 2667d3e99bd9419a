import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { backoffMs, wait } from '../wait';
import type { KafkaLog } from './client';

/** A record as it lies in Kafka. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  /** When it was sent, milliseconds since 1970. */
  readonly timestamp: number;
}

/** The records of one partition that came together. */
export interface ConsumedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly RawRecord[];
  /** Offset that the next record written to the partition will have, as of the fetch. */
  readonly endOffset: number;
  /** False once the consumer stops, the group is rebalancing or the partition is sought: leave off early. */
  isLive(): boolean;
  /** Records below `nextOffset` are done with. Kafka is told; an error (the partition was taken) may be let through. */
  commit(nextOffset: number): Promise<void>;
  /** Goes on behind these records without telling Kafka yet. */
  skipTo(nextOffset: number): void;
  /** Holds the partition: what is not committed comes again after `ms`, while other partitions and heartbeats go on. */
  holdFor(ms: number): void;
}

export interface ConsumerOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topics: readonly string[];
  /** One call at a time for a partition; calls for different partitions overlap up to `concurrency`. */
  readonly onBatch: (batch: ConsumedBatch) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  /** Partitions handled at once (3). */
  readonly concurrency?: number;
  /**
   * The offset to read a partition from at each joining of the group, whatever was committed; null leaves it where it
   * is. It is kept when it was this consumer's before the joining, too.
   */
  readonly startAt?: (partition: number, isKept: boolean) => number | null;
  /** Bytes fetched for a partition at once (1 MB). */
  readonly maxBytesPerPartition?: number;
  /** After each joining of the group, with the partitions that are ours now. */
  readonly onAssigned?: (assigned: Readonly<Record<string, number[]>>) => void;
}

// The session must outlast two fetches by far, or a consumer that was blocked never recovers by itself.
const sessionTimeoutMs = 10_000;
const heartbeatIntervalMs = 2_000;
const maxWaitMs = 500;
const stopWithinMs = 7_000;

/**
 * Consumes until the signal is aborted, then finishes the batches in hand and leaves the group. Comes back by itself,
 * with a new consumer, whenever kafkajs gives up (it then stays silent otherwise). Groups without committed offsets
 * start at the beginning.
 */
export async function runConsumer(options: ConsumerOptions): Promise<void> {
  const { signal, log, group } = options;
  for (let attempt = 0; !signal.aborted; attempt++) {
    const startedAt = Date.now();
    try {
      await consumeUntilCrash(options);
    } catch (error) {
      if (signal.aborted) break;
      if (Date.now() - startedAt > 60_000) attempt = 0;
      log.warn({ err: error, group, attempt }, 'consumer gave up, starting a new one');
      await wait(backoffMs(attempt, { minMs: 200, maxMs: 3_000 }), signal);
    }
  }
}

/** The life of one kafkajs consumer. Returns once the signal is aborted, throws what it crashed of. */
async function consumeUntilCrash(options: ConsumerOptions): Promise<void> {
  const { kafka, signal } = options;
  const holds = new Set<NodeJS.Timeout>();
  const consumer = kafka.consumer({
    groupId: options.group,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: heartbeatIntervalMs,
    rebalanceTimeout: 15_000,
    maxWaitTimeInMs: maxWaitMs,
    maxBytesPerPartition: options.maxBytesPerPartition ?? 1_048_576,
    allowAutoTopicCreation: false,
    // Every crash ends here, so that there is one way back: a new consumer.
    retry: {
      retries: 5,
      initialRetryTime: 100,
      maxRetryTime: 1_000,
      restartOnFailure: () => Promise.resolve(false),
    },
  });
  let onAbort: (() => void) | undefined;
  const ended = new Promise<Error | undefined>((resolve) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
    onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort);
  });
  listenForAssignments(consumer, options);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
    if (signal.aborted) return;
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.concurrency ?? 3,
      eachBatch: (payload) => handle(payload, options, holds),
    });
    const crash = await ended;
    if (crash) throw crash;
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
    for (const hold of holds) clearTimeout(hold);
    const stopped = new AbortController();
    const stopping = consumer.disconnect().catch(() => {});
    await Promise.race([stopping.then(() => stopped.abort()), wait(stopWithinMs, stopped.signal)]);
  }
}

function listenForAssignments(
  consumer: Consumer,
  { group, log, startAt, onAssigned }: ConsumerOptions,
): void {
  let ours = new Set<string>();
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
    const before = ours;
    ours = new Set();
    for (const [topic, partitions] of Object.entries(memberAssignment))
      for (const partition of partitions) {
        const place = `${topic}/${partition}`;
        ours.add(place);
        const offset = startAt?.(partition, before.has(place)) ?? null;
        // Below the log's start the broker says out of range and kafkajs takes the earliest there is.
        if (offset !== null) consumer.seek({ topic, partition, offset: String(offset) });
      }
    log.debug({ group, assigned: memberAssignment }, 'joined the group');
    onAssigned?.(memberAssignment);
  });
}

async function handle(
  payload: EachBatchPayload,
  options: ConsumerOptions,
  holds: Set<NodeJS.Timeout>,
): Promise<void> {
  const { batch } = payload;
  const { topic, partition } = batch;
  let lost: unknown;
  // Work on a batch may last longer than the session.
  const beat = setInterval(() => {
    payload.heartbeat().catch((error: unknown) => (lost ??= error));
  }, heartbeatIntervalMs);
  try {
    await options.onBatch({
      topic,
      partition,
      records: batch.messages.map((m) => ({
        topic,
        partition,
        offset: Number(m.offset),
        key: m.key,
        value: m.value,
        headers: m.headers ?? {},
        timestamp: Number(m.timestamp),
      })),
      endOffset: Number(batch.highWatermark),
      isLive: () =>
        lost === undefined && payload.isRunning() && !payload.isStale() && !options.signal.aborted,
      skipTo: (nextOffset) => payload.resolveOffset(String(nextOffset - 1)),
      async commit(nextOffset) {
        payload.resolveOffset(String(nextOffset - 1));
        // Not consumer.commitOffsets: from outside the batch a lost session crashes the consumer for good.
        await payload.commitOffsetsIfNecessary({
          topics: [{ topic, partitions: [{ partition, offset: String(nextOffset) }] }],
        });
      },
      holdFor(ms) {
        const resume = payload.pause();
        const timer = setTimeout(() => {
          holds.delete(timer);
          resume();
        }, ms);
        holds.add(timer);
      },
    });
  } finally {
    clearInterval(beat);
  }
  // Tells kafkajs to join again: the group is rebalancing or has forgotten us.
  if (lost !== undefined) throw lost as Error;
}
