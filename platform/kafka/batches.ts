import type { Batch, Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { ConsumedBatch, ConsumerOptions, RawRecord } from './consumed';
import { partitionName } from './partition';
import type { PartitionQueues } from './partitionQueues';

export const heartbeatIntervalMs = 2_000;
/** A partition without room for so long is paused, so that the others are fetched without it. */
const roomWithinMs = 250;

export interface Hands {
  readonly payload: EachBatchPayload;
  readonly options: ConsumerOptions;
  readonly holds: Set<NodeJS.Timeout>;
  readonly consumer: Consumer;
}

/** Works on a batch until it is done, and keeps the membership meanwhile: that may last longer than the session. */
export async function handle(hands: Hands): Promise<void> {
  const { payload, options } = hands;
  await whileBeating(payload, (isMember) =>
    options.onBatch(
      consumed(
        hands,
        () => isMember() && payload.isRunning() && !payload.isStale() && !options.signal.aborted,
      ),
    ),
  );
}

/** Puts a batch in its partition's queue and comes back when the next one may come. */
export async function handOver(hands: Hands, queues: PartitionQueues): Promise<void> {
  const { payload, options } = hands;
  const { batch } = payload;
  const last = batch.messages.at(-1);
  if (!last || options.signal.aborted || payload.isStale()) return;
  const name = partitionName(batch.topic, batch.partition);
  const bytes = batch.messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  queues.push(name, { records: batch.messages.length, bytes }, (isLive) =>
    options.onBatch(
      consumed(hands, () => isLive() && payload.isRunning() && !options.signal.aborted, queues),
    ),
  );
  // The next fetch goes on behind it; Kafka is told when it is done.
  payload.resolveOffset(last.offset);
  const { signal } = options;
  const hasRoom = await whileBeating(payload, () => queues.room(name, roomWithinMs, signal));
  if (hasRoom) return;
  const resume = payload.pause();
  void queues.untilRoom(name, signal).then(resume);
}

/** @throws what the heartbeat did, which tells kafkajs to join again: the group rebalances, or has forgotten us. */
async function whileBeating<T>(
  payload: EachBatchPayload,
  work: (isMember: () => boolean) => Promise<T>,
): Promise<T> {
  let lost: unknown;
  const beat = setInterval(() => {
    payload.heartbeat().catch((error: unknown) => (lost ??= error));
  }, heartbeatIntervalMs);
  try {
    const done = await work(() => lost === undefined);
    if (lost !== undefined) throw lost as Error;
    return done;
  } finally {
    clearInterval(beat);
  }
}

/** kafkajs's batches say it, their type does not. */
type FetchedBatch = Batch & { readonly fetchedOffset: string };

function consumed(
  { payload, options, holds, consumer }: Hands,
  isLive: () => boolean,
  queues?: PartitionQueues,
): ConsumedBatch {
  const { batch } = payload;
  const { topic, partition } = batch;
  const tellKafka = async (nextOffset: number): Promise<void> => {
    // Not consumer.commitOffsets: from outside the batch a lost session crashes the consumer for good.
    await payload.commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition, offset: String(nextOffset) }] }],
    });
  };
  return {
    topic,
    partition,
    records: batch.messages.map((message) => new FetchedRecord(topic, partition, message)),
    fetchedFrom: Number((batch as FetchedBatch).fetchedOffset),
    endOffset: Number(batch.highWatermark),
    isLive,
    skipTo(nextOffset) {
      // What is read ahead is resolved already.
      if (!queues) payload.resolveOffset(String(nextOffset - 1));
    },
    async commit(nextOffset) {
      if (!queues) {
        payload.resolveOffset(String(nextOffset - 1));
        return tellKafka(nextOffset);
      }
      // The partition may have been taken meanwhile. Whoever has it knows from the effects' own position how far they are.
      if (!isLive() && !options.signal.aborted) return;
      await tellKafka(nextOffset).catch((error: unknown) =>
        options.log.debug({ err: error, topic, partition, nextOffset }, 'offset not committed'),
      );
    },
    holdFor(ms) {
      const resume = payload.pause();
      const timer = setTimeout(() => {
        holds.delete(timer);
        resume();
      }, ms);
      holds.add(timer);
    },
    readFrom(offset) {
      queues?.drop(partitionName(topic, partition));
      consumer.seek({ topic, partition, offset: String(offset) });
    },
  };
}

/** A record of a fetch, whose parts stay there until they are asked for (`LyingRecord`). */
class FetchedRecord implements RawRecord {
  readonly offset: number;
  readonly timestamp: number;

  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly message: KafkaMessage,
  ) {
    this.offset = Number(message.offset);
    this.timestamp = Number(message.timestamp);
  }

  get key(): RawRecord['key'] {
    return this.message.key;
  }

  get value(): RawRecord['value'] {
    return this.message.value;
  }

  get headers(): RawRecord['headers'] {
    return this.message.headers ?? {};
  }
}
