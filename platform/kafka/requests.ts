import type { Message } from 'kafkajs';
import { partitionFor } from './client';
import { partitionName } from './partition';
import { recordSize, type OutgoingRecord } from './recordSize';

/** The broker will not take this, however often it is asked. */
export class KafkaRefused extends Error {
  override readonly name = 'KafkaRefused';
  readonly retriable = false;

  constructor(
    /** Kafka's name of the error: MESSAGE_TOO_LARGE. */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`Kafka refused the batch: ${code}`, options);
  }
}

const bytesPerRequest = 8_000_000;
/** Larger than a broker reads in one request: it would close the connection instead of answering. */
const bytesPerRecord = 64_000_000;

/** What is sent together, to several partitions. */
export interface ProduceRequest {
  readonly topicMessages: { topic: string; messages: Message[] }[];
  /** Records and bytes by the partition's name. */
  readonly counts: Map<string, number>;
  readonly bytes: Map<string, number>;
}

/**
 * Cuts records into requests that respect the bounds, keeping their order.
 * @throws KafkaRefused for a record that no broker reads, or that cannot be encoded
 */
export function* requests(
  records: readonly OutgoingRecord[],
  partitions: ReadonlyMap<string, number>,
  maxBytesPerPartition: number,
): Generator<ProduceRequest> {
  let messages = new Map<string, Message[]>();
  let counts = new Map<string, number>();
  let bytes = new Map<string, number>();
  let total = 0;
  const cut = (): ProduceRequest => ({
    topicMessages: [...messages].map(([topic, list]) => ({ topic, messages: list })),
    counts,
    bytes,
  });

  for (const record of records) {
    const size = sizeOf(record);
    if (size > bytesPerRecord) throw new KafkaRefused('MESSAGE_TOO_LARGE');
    const partition = record.key === null ? 0 : partitionFor(record.key, partitions.get(record.topic) ?? 1);
    const name = partitionName(record.topic, partition);
    const inPartition = bytes.get(name) ?? 0;
    const full = inPartition > 0 && inPartition + size > maxBytesPerPartition;
    if (full || (total > 0 && total + size > bytesPerRequest)) {
      yield cut();
      messages = new Map();
      counts = new Map();
      bytes = new Map();
      total = 0;
    }
    let list = messages.get(record.topic);
    if (!list) messages.set(record.topic, (list = []));
    // Without a copy: kafkajs's type wants what it may change, and it changes none.
    const headers = record.headers as Message['headers'];
    list.push({ key: record.key, value: record.value, headers, partition });
    counts.set(name, (counts.get(name) ?? 0) + 1);
    bytes.set(name, (bytes.get(name) ?? 0) + size);
    total += size;
  }
  if (total > 0) yield cut();
}

/** What goes wrong here is the record's own: whoever wrote it had no types to hold it to. @throws KafkaRefused */
function sizeOf(record: OutgoingRecord): number {
  try {
    return recordSize(record);
  } catch (error) {
    throw new KafkaRefused('INVALID_RECORD', { cause: error });
  }
}
