import { setMaxListeners } from 'node:events';
import type { Consumer } from 'kafkajs';
import { backoffMs, wait } from '../wait';
import { handle, handOver, heartbeatIntervalMs } from './batches';
import type { ConsumerOptions } from './consumed';
import { partitionName } from './partition';
import { PartitionQueues } from './partitionQueues';

export type { ConsumedBatch, ConsumerOptions, RawRecord } from './consumed';

// The session must outlast two fetches by far, or a consumer that was blocked never recovers by itself.
const sessionTimeoutMs = 10_000;
const maxWaitMs = 500;
const stopWithinMs = 7_000;
/** As many as there may be partitions: each only hands over what came. */
const handsWhenAhead = 1_000;

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
      options.onRestart?.();
      await wait(backoffMs(attempt, { minMs: 200, maxMs: 3_000 }), signal);
    }
  }
}

/** The life of one kafkajs consumer. Returns once the signal is aborted, throws what it crashed of. */
async function consumeUntilCrash(options: ConsumerOptions): Promise<void> {
  const { kafka, signal } = options;
  // Each partition that waits for room listens.
  setMaxListeners(0, signal);
  const holds = new Set<NodeJS.Timeout>();
  let fail: (error: unknown) => void = () => {};
  const queues = options.ahead && new PartitionQueues({ ahead: 1, ...options.ahead }, (error) => fail(error));
  const consumer = kafka.consumer({
    groupId: options.group,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: heartbeatIntervalMs,
    rebalanceTimeout: 15_000,
    maxWaitTimeInMs: maxWaitMs,
    maxBytesPerPartition: options.maxBytesPerPartition ?? 1_048_576,
    allowAutoTopicCreation: false,
    ...(options.assigner && { partitionAssigners: [options.assigner] }),
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
    fail = (error) => resolve(error instanceof Error ? error : new Error(String(error)));
    onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort);
  });
  // What waits is read again from where Kafka says; what is in work finds out that it is not live.
  consumer.on(consumer.events.GROUP_JOIN, () => queues?.drop());
  listenForAssignments(consumer, options);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
    if (signal.aborted) return;
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: queues ? handsWhenAhead : (options.concurrency ?? 3),
      eachBatch: (payload) => {
        const hands = { payload, options, holds, consumer };
        return queues ? handOver(hands, queues) : handle(hands);
      },
    });
    const crash = await ended;
    if (crash) throw crash;
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
    for (const hold of holds) clearTimeout(hold);
    // The batches in hand first: they tell Kafka how far they came.
    queues?.drop();
    const stopped = new AbortController();
    const stopping = (queues?.idle() ?? Promise.resolve()).then(() => consumer.disconnect()).catch(() => {});
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
        const name = partitionName(topic, partition);
        ours.add(name);
        const offset = startAt?.(partition, before.has(name), topic) ?? null;
        // Below the log's start the broker says out of range and kafkajs takes the earliest there is.
        if (offset !== null) consumer.seek({ topic, partition, offset: String(offset) });
      }
    log.debug({ group, assigned: memberAssignment }, 'joined the group');
    onAssigned?.(memberAssignment);
  });
}
