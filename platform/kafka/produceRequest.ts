import { crc32c } from '@node-rs/crc32';
import { RequestWriter, type Content, type Int64 } from './requestWriter';

/** What kafkajs hands over for each record. */
export interface RecordToEncode {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Content | readonly Content[]>>;
  /** Milliseconds since 1970; without it the time of encoding. */
  readonly timestamp?: string | number;
}

/** What kafkajs asks of its maker of produce requests (version 3 and those after it, which differ in the number alone). */
export interface ProduceRequestOptions {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  readonly producerId?: Int64;
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly RecordToEncode[];
    }[];
  }[];
}

const produceKey = 0;
const magic = 2;
const transactional = 16;

let encodingSeconds = 0;

/** Seconds that this process has spent on encoding records. */
export const secondsOfEncoding = (): number => encodingSeconds;

/**
 * Kafka's produce request (version 3: records in batches of message format 2), byte for byte what kafkajs makes of the
 * same, written once into one buffer. kafkajs makes an encoder of at least 512 zeroed bytes for each record and for each of
 * its headers, and copies each record five times until it is in its request; that is most of what a relay's process does
 * (`npm run bench -- relay`).
 * @throws RangeError for compressed records: nobody here sends such
 */
export function produceRequest(options: ProduceRequestOptions) {
  return {
    ...{ apiKey: produceKey, apiVersion: 3, apiName: 'Produce' },
    expectResponse: (): boolean => options.acks !== 0,
    encode: (): Promise<RequestWriter> => Promise.resolve(encodeProduceRequest(options)),
  };
}

function encodeProduceRequest(options: ProduceRequestOptions): RequestWriter {
  if (options.compression) throw new RangeError('records are not compressed');
  const startedAt = performance.now();
  const { acks, timeout, transactionalId = null, topicData } = options;
  const writer = new RequestWriter(capacityFor(topicData));
  writer.string(transactionalId);
  writer.int16(acks);
  writer.int32(timeout);
  writer.int32(topicData.length);
  for (const { topic, partitions } of topicData) {
    writer.string(topic);
    writer.int32(partitions.length);
    for (const { partition, firstSequence = 0, messages } of partitions) {
      writer.int32(partition);
      writeBatch(writer, messages, { ...options, firstSequence });
    }
  }
  encodingSeconds += (performance.now() - startedAt) / 1_000;
  return writer;
}

/** Enough for text in ASCII; other text makes the buffer grow. */
function capacityFor(topicData: ProduceRequestOptions['topicData']): number {
  let bytes = 1_024;
  for (const { partitions } of topicData) {
    for (const { messages } of partitions) {
      bytes += 256;
      for (const { key, value, headers = {} } of messages) {
        bytes += 64 + (key?.length ?? 0) + (value?.length ?? 0);
        for (const name in headers) {
          const content = headers[name];
          bytes +=
            8 + name.length + (typeof content === 'string' || Buffer.isBuffer(content) ? content.length : 64);
        }
      }
    }
  }
  return bytes;
}

/** A record set: its size, and the one batch that it is. */
function writeBatch(
  writer: RequestWriter,
  messages: readonly RecordToEncode[],
  options: Pick<ProduceRequestOptions, 'transactionalId' | 'producerId' | 'producerEpoch'> & {
    firstSequence: number;
  },
): void {
  const now = Date.now();
  const { first, last } = timeSpan(messages, now);
  const setSize = writer.later();
  writer.int64(0);
  const batchLength = writer.later();
  writer.int32(0);
  writer.byte(magic);
  const checksum = writer.later();
  const checked = writer.size();
  writer.int16(options.transactionalId ? transactional : 0);
  writer.int32(messages.length - 1);
  writer.int64(first);
  writer.int64(last);
  writer.int64(options.producerId ?? -1);
  writer.int16(options.producerEpoch ?? 0);
  writer.int32(options.firstSequence);
  writer.int32(messages.length);
  for (const [i, message] of messages.entries())
    writeRecord(writer, message, i, Number(message.timestamp ?? now) - Number(first));
  writer.fill(checksum, crc32c(writer.from(checked)));
  writer.fill(batchLength, writer.size() - batchLength - 4);
  writer.fill(setSize, writer.size() - setSize - 4);
}

/** As kafkajs sorts them: as text where they are text. */
function timeSpan(
  messages: readonly RecordToEncode[],
  now: number,
): { first: string | number; last: string | number } {
  const given = messages.flatMap(({ timestamp }) => (timestamp === undefined ? [] : [timestamp])).sort();
  return { first: given[0] ?? now, last: given.at(-1) ?? now };
}

function writeRecord(
  writer: RequestWriter,
  { key, value, headers = {} }: RecordToEncode,
  offsetDelta: number,
  timestampDelta: number,
): void {
  const start = writer.beginRecord();
  writer.byte(0);
  writer.varint(timestampDelta);
  writer.varint(offsetDelta);
  writer.content(key);
  writer.content(value);
  let count = 0;
  for (const name in headers) count += isMany(headers[name]) ? headers[name].length : 1;
  writer.varint(count);
  for (const name in headers) {
    const content = headers[name];
    for (const each of isMany(content) ? content : [content]) {
      writer.content(name);
      writer.content(each);
    }
  }
  writer.endRecord(start);
}

const isMany = (values: Content | readonly Content[]): values is readonly Content[] => Array.isArray(values);
