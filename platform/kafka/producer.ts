import type { Kafka, Message, Producer, RecordMetadata } from 'kafkajs';
import type { ProducerObserver } from '../observers';
import { backoffMs, wait } from '../wait';
import { withAdmin, type KafkaLog } from './client';
import { namedPartition, partitionName } from './partition';
import type { OutgoingRecord } from './recordSize';
import { KafkaRefused, requests, type ProduceRequest } from './requests';

export { KafkaRefused, type OutgoingRecord };

export interface FactProducer {
  /**
   * Sends the records in their order and resolves when all are acknowledged by all replicas. Goes on trying (with
   * back-off, the whole batch by a new producer) until then, so records may be in Kafka more than once.
   * One batch is under way at a time; further calls wait.
   * @throws KafkaRefused when trying again is of no use: bring the records one by one to find out which it is.
   * @throws the signal's reason once it is aborted.
   */
  send(records: readonly OutgoingRecord[], options?: { signal?: AbortSignal }): Promise<void>;
  disconnect(): Promise<void>;
}

const refusals = new Set([
  ...['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'],
  ...['INVALID_TOPIC_EXCEPTION', 'POLICY_VIOLATION', 'UNSUPPORTED_FOR_MESSAGE_FORMAT'],
]);

/** Kafka's limit (1 MB by default) is about a partition's whole batch, not a record; this leaves room for framing. */
const defaultBytesPerPartition = 900_000;
/** A topic that is not there for so long is no matter of a broker that has only just started. */
const missingTopicMs = 5_000;

/**
 * A producer that can be believed. kafkajs's idempotent producer, used as it is, loses records silently: after any
 * rejected send its sequence numbers are wrong, and the broker then takes a new record for a repeated one and
 * acknowledges it at the old one's offset. So here:
 * - one send at a time;
 * - after any rejected send the producer is thrown away and a new one sends the whole batch again;
 * - an acknowledged offset that does not rise is an error.
 */
export function createFactProducer(
  kafka: Kafka,
  options: { log?: KafkaLog; maxBytesPerPartition?: number; observer?: ProducerObserver } = {},
): FactProducer {
  const maxBytes = options.maxBytesPerPartition ?? defaultBytesPerPartition;
  const partitions = new Map<string, number>();
  const missingSinceMs = new Map<string, number>();
  let current: { producer: Producer; lastOffsets: Map<string, number> } | undefined;
  let turn: Promise<void> = Promise.resolve();

  async function learnPartitions(records: readonly OutgoingRecord[]): Promise<void> {
    const unknown = [...new Set(records.map(({ topic }) => topic))].filter((topic) => !partitions.has(topic));
    if (unknown.length === 0) return;
    const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata());
    const there = new Map(topics.map(({ name, partitions: all }) => [name, all.length]));
    for (const topic of unknown) {
      refuseMissing(topic, there.has(topic));
      partitions.set(topic, there.get(topic)!);
    }
  }

  function refuseMissing(topic: string, isThere: boolean): void {
    if (isThere) return void missingSinceMs.delete(topic);
    const since = missingSinceMs.get(topic) ?? performance.now();
    missingSinceMs.set(topic, since);
    if (performance.now() - since >= missingTopicMs) throw new KafkaRefused('UNKNOWN_TOPIC_OR_PARTITION');
    throw new Error(`there is no topic ${topic}`);
  }

  async function connected(): Promise<NonNullable<typeof current>> {
    if (current) return current;
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => (args) => (args.message as Message & { partition: number }).partition,
      // kafkajs wants at least one for an idempotent producer; it repeats the same request, which is safe.
      retry: { retries: 1, initialRetryTime: 100, maxRetryTime: 500 },
    });
    await producer.connect();
    return (current = { producer, lastOffsets: new Map() });
  }

  async function discard(): Promise<void> {
    const old = current?.producer;
    current = undefined;
    partitions.clear();
    await old?.disconnect().catch(() => {});
  }

  async function sendOnce(records: readonly OutgoingRecord[]): Promise<void> {
    await learnPartitions(records);
    const { producer, lastOffsets } = await connected();
    for (const request of requests(records, partitions, maxBytes)) {
      const startedAt = performance.now();
      const answered = (error: string | null): void =>
        options.observer?.answered((performance.now() - startedAt) / 1_000, error);
      try {
        const { topicMessages } = request;
        const acknowledged = await producer.sendBatch({ acks: -1, timeout: 8_000, topicMessages });
        checkOffsets(acknowledged, request.counts, lastOffsets);
      } catch (error) {
        answered(nameOf(error));
        throw error;
      }
      answered(null);
      if (options.observer) tellSent(request, options.observer);
    }
  }

  async function sendUntilStored(records: readonly OutgoingRecord[], signal?: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return await sendOnce(records);
      } catch (error) {
        await discard();
        const refusal = refusalOf(error);
        if (refusal) throw refusal;
        options.log?.warn(
          { err: error, attempt, records: records.length },
          'send rejected, again by a new producer',
        );
        await wait(backoffMs(attempt, { minMs: 100, maxMs: 2_000 }), signal);
      }
    }
  }

  return {
    send(records, { signal } = {}) {
      if (records.length === 0) return Promise.resolve();
      const mine = turn.then(() => sendUntilStored(records, signal));
      turn = mine.catch(() => {});
      return mine;
    },
    async disconnect() {
      await turn;
      await discard();
    },
  };
}

function tellSent({ counts, bytes }: ProduceRequest, observer: ProducerObserver): void {
  for (const [name, records] of counts) observer.sent(namedPartition(name), records, bytes.get(name) ?? 0);
}

/** Kafka's name of what went wrong (NOT_LEADER_FOR_PARTITION), or the error's own. */
function nameOf(error: unknown): string {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('type' in e && typeof e.type === 'string') return e.type;
  return error instanceof Error ? error.name : 'unknown';
}

/** Throws unless every partition written to has answered with an offset above all that this producer had there. */
function checkOffsets(
  acknowledged: readonly RecordMetadata[],
  counts: ReadonlyMap<string, number>,
  lastOffsets: Map<string, number>,
): void {
  const answers = new Map(acknowledged.map((a) => [partitionName(a.topicName, a.partition), a]));
  for (const [name, count] of counts) {
    const answer = answers.get(name);
    const first = Number(answer?.baseOffset ?? -1);
    const last = lastOffsets.get(name) ?? -1;
    if (!answer || answer.errorCode !== 0 || first <= last) {
      throw new Error(`acknowledgement not believed: ${name} at offset ${first} after ${last}`);
    }
    lastOffsets.set(name, first + count - 1);
  }
}

/** What the records themselves are refused for. Any other error, an answer that cannot be read too, may pass. */
function refusalOf(error: unknown): KafkaRefused | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e instanceof KafkaRefused) return e;
    if ('type' in e && typeof e.type === 'string' && refusals.has(e.type)) {
      return new KafkaRefused(e.type, { cause: error });
    }
  }
  return undefined;
}
