import { crc32c } from '@node-rs/crc32';
import { Reader, type DecodedHeaders, type Names } from './recordReader';

/** What is used here of kafkajs's decoder of Kafka's protocol. */
export interface FetchDecoder {
  readonly buffer: Buffer;
  offset: number;
}

/** A record as kafkajs's consumer takes it from whoever decodes it. */
export interface DecodedRecord {
  readonly offset: string;
  /** Milliseconds since 1970. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: DecodedHeaders;
  readonly attributes: number;
  readonly magicByte: number;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly firstOffset: string; readonly maxTimestamp: string };
}

export interface DecodedBatch {
  readonly records: DecodedRecord[];
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
}

export type DecodeBatch = (decoder: FetchDecoder) => Promise<DecodedBatch>;

/** Where a batch's fields lie, in bytes from its beginning: https://kafka.apache.org/documentation/#recordbatch */
const at = {
  ...{ firstOffset: 0, length: 8, leaderEpoch: 12, magicByte: 16, checksum: 17, attributes: 21 },
  ...{ lastOffsetDelta: 23, firstTimestamp: 27, maxTimestamp: 35, producerId: 43, producerEpoch: 51 },
  ...{ firstSequence: 53, count: 57, records: 61 },
};
const flags = { codec: 0x07, isLogAppendTime: 0x08, inTransaction: 0x10, isControl: 0x20 };

/**
 * Reads a batch as kafkajs does, from where it lies: kafkajs makes a decoder and a long integer or two for each record, and
 * for each header a buffer and a new object with all of those before it, which took half the time of a consumer of facts.
 * What is compressed, and what the broker has cut off, is left to `published`: kafkajs's own. Unlike kafkajs, and like
 * Java's clients, it holds each batch against its checksum.
 * @throws RangeError for a damaged batch: whoever consumes comes again to the same offset, and none of it is a fact
 */
export const decodeBatchOr =
  (published: DecodeBatch): DecodeBatch =>
  async (decoder) => {
    const { buffer, offset: start } = decoder;
    const end = start + at.leaderEpoch + buffer.readInt32BE(start + at.length);
    if (end > buffer.length) return published(decoder);
    checkWhole(buffer, start, end);
    const attributes = buffer.readInt16BE(start + at.attributes);
    if ((attributes & flags.codec) !== 0) return published(decoder);
    decoder.offset = end;

    const isLogAppendTime = (attributes & flags.isLogAppendTime) !== 0;
    const context = {
      firstOffset: String(buffer.readBigInt64BE(start + at.firstOffset)),
      partitionLeaderEpoch: buffer.readInt32BE(start + at.leaderEpoch),
      magicByte: buffer.readInt8(start + at.magicByte),
      lastOffsetDelta: buffer.readInt32BE(start + at.lastOffsetDelta),
      inTransaction: (attributes & flags.inTransaction) !== 0,
      isControlBatch: (attributes & flags.isControl) !== 0,
      timestampType: isLogAppendTime ? 1 : 0,
      firstTimestamp: String(buffer.readBigInt64BE(start + at.firstTimestamp)),
      maxTimestamp: String(buffer.readBigInt64BE(start + at.maxTimestamp)),
      producerId: String(buffer.readBigInt64BE(start + at.producerId)),
      producerEpoch: buffer.readInt16BE(start + at.producerEpoch),
      firstSequence: buffer.readInt32BE(start + at.firstSequence),
    };
    const batch: Batch = {
      ...{ buffer, context, names: [], firstOffset: Number(context.firstOffset) },
      ...{ firstTimestampMs: Number(context.firstTimestamp), isLogAppendTime },
    };
    const reader = new Reader(buffer, start + at.records);
    const records: DecodedRecord[] = [];
    for (let left = buffer.readInt32BE(start + at.count); left > 0; left--) {
      const recordEnd = reader.varInt() + reader.at;
      if (!(recordEnd > reader.at && recordEnd <= end))
        throw damaged(
          buffer,
          start,
          `a record at its byte ${reader.at - start} ends at ${recordEnd - start}`,
        );
      records.push(new LyingRecord(batch, reader.at, recordEnd));
      reader.at = recordEnd;
    }
    return { ...context, records };
  };

/** The checksum is of all that comes behind it; what lies before it is the broker's. */
function checkWhole(buffer: Buffer, start: number, end: number): void {
  if (end < start + at.records) throw damaged(buffer, start, `it ends at its byte ${end - start}`);
  const [said, is] = [
    buffer.readUInt32BE(start + at.checksum),
    crc32c(buffer.subarray(start + at.attributes, end)),
  ];
  if (said !== is) throw damaged(buffer, start, `its checksum says ${said}, its bytes ${is}`);
}

const damaged = (buffer: Buffer, start: number, how: string): RangeError =>
  new RangeError(
    `the batch of records from offset ${buffer.readBigInt64BE(start + at.firstOffset)} is damaged: ${how}`,
  );

interface Batch {
  readonly buffer: Buffer;
  readonly context: DecodedRecord['batchContext'] & {
    readonly magicByte: number;
    readonly isControlBatch: boolean;
  };
  readonly firstOffset: number;
  readonly firstTimestampMs: number;
  readonly isLogAppendTime: boolean;
  /** The names of a record's headers, by their places: those of the next one are mostly the same. */
  readonly names: Names;
}

/**
 * A record where it lies in what was fetched. Its parts are made when they are asked for: thousands wait at once for
 * those before them, and what waits costs with each garbage collection.
 */
class LyingRecord implements DecodedRecord {
  readonly attributes: number;
  private readonly timestampDelta: number;
  private readonly offsetDelta: number;
  /** Where the key begins. */
  private readonly content: number;

  constructor(
    private readonly batch: Batch,
    start: number,
    private readonly end: number,
  ) {
    const reader = new Reader(batch.buffer, start + 1);
    this.attributes = batch.buffer.readInt8(start);
    this.timestampDelta = reader.varLong();
    this.offsetDelta = reader.varInt();
    this.content = reader.at;
  }

  get offset(): string {
    return String(this.batch.firstOffset + this.offsetDelta);
  }

  get timestamp(): string {
    const { isLogAppendTime, context, firstTimestampMs } = this.batch;
    return isLogAppendTime ? context.maxTimestamp : String(firstTimestampMs + this.timestampDelta);
  }

  get key(): Buffer | null {
    return this.reader().bytes();
  }

  get value(): Buffer | null {
    return this.reader().skip(1).bytes();
  }

  get headers(): DecodedHeaders {
    return this.reader().skip(2).headers(this.end, this.batch.names);
  }

  get magicByte(): number {
    return this.batch.context.magicByte;
  }

  get isControlRecord(): boolean {
    return this.batch.context.isControlBatch;
  }

  get batchContext(): Batch['context'] {
    return this.batch.context;
  }

  private reader(): Reader {
    return new Reader(this.batch.buffer, this.content);
  }
}
