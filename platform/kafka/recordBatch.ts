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

/** A value is text where all its bytes are ASCII: so it is the same bytes, and no buffer is made that nobody reads. */
type HeaderValue = string | Buffer | null;
export type DecodedHeaders = Record<string, HeaderValue | HeaderValue[]>;

export interface DecodedBatch {
  readonly records: DecodedRecord[];
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
}

export type DecodeBatch = (decoder: FetchDecoder) => Promise<DecodedBatch>;

/** Where a batch's fields lie, in bytes from its beginning: https://kafka.apache.org/documentation/#recordbatch */
const at = {
  ...{ firstOffset: 0, length: 8, leaderEpoch: 12, magicByte: 16, attributes: 21, lastOffsetDelta: 23 },
  ...{ firstTimestamp: 27, maxTimestamp: 35, producerId: 43, producerEpoch: 51, firstSequence: 53 },
  ...{ count: 57, records: 61 },
};
const flags = { codec: 0x07, isLogAppendTime: 0x08, inTransaction: 0x10, isControl: 0x20 };

/**
 * Reads a batch as kafkajs does, from where it lies: kafkajs makes a decoder and a long integer or two for each record, and
 * for each header a buffer and a new object with all of those before it, which took half the time of a consumer of facts.
 * What is compressed, and what the broker has cut off, is left to `published`: kafkajs's own.
 */
export const decodeBatchOr =
  (published: DecodeBatch): DecodeBatch =>
  async (decoder) => {
    const { buffer, offset: start } = decoder;
    const end = start + at.leaderEpoch + buffer.readInt32BE(start + at.length);
    if (end > buffer.length || end < start + at.records) return published(decoder);
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
      if (!(recordEnd <= end))
        throw new RangeError(`a record ends ${recordEnd - end} bytes behind its batch`);
      records.push(new LyingRecord(batch, reader.at, recordEnd));
      reader.at = recordEnd;
    }
    return { ...context, records };
  };

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
  readonly names: string[];
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

const plain = { writable: true, enumerable: true, configurable: true };

/** Reads on in a batch from where it is. */
class Reader {
  constructor(
    private readonly buffer: Buffer,
    public at: number,
  ) {}

  varInt(): number {
    let zigzag = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.buffer[this.at++]!;
      zigzag |= (byte & 0x7f) << shift;
      if (!(byte >= 0x80)) break;
    }
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  /** Exact as far as a number is. */
  varLong(): number {
    let zigzag = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.buffer[this.at++]!;
      zigzag += (byte & 0x7f) * scale;
      if (!(byte >= 0x80)) break;
    }
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  /** Passes over so many contents. */
  skip(contents: number): this {
    for (; contents > 0; contents--) {
      const length = this.varInt();
      if (length > 0) this.at += length;
    }
    return this;
  }

  bytes(): Buffer | null {
    const length = this.varInt();
    return length < 0 ? null : this.buffer.subarray(this.at, (this.at += length));
  }

  /** Those up to `end`, where the record ends. */
  headers(end: number, names: string[]): DecodedHeaders {
    const headers: DecodedHeaders = {};
    const count = this.varInt();
    if (count <= 0) return headers;
    // In one go: what is taken of it then is no copy.
    const text: Text = { from: this.at, characters: this.buffer.toString('latin1', this.at, end) };
    for (let place = 0; place < count; place++) {
      const name = this.name(text, place, names);
      const value = this.value(text);
      if (Object.hasOwn(headers, name)) headers[name] = [headers[name]!, value].flat();
      else if (name === '__proto__') Object.defineProperty(headers, name, { value, ...plain });
      else headers[name] = value;
    }
    return headers;
  }

  private name({ from, characters }: Text, place: number, names: string[]): string {
    const length = this.varInt();
    const start = this.at;
    this.at += length;
    const known = names[place];
    if (known?.length === length && characters.startsWith(known, start - from)) return known;
    const name = this.buffer.toString('utf8', start, this.at);
    // As many characters as bytes: it can be found in the text.
    if (name.length === length) names[place] = name;
    return name;
  }

  private value({ from, characters }: Text): HeaderValue {
    const length = this.varInt();
    if (length < 0) return null;
    const start = this.at;
    this.at += length;
    for (let i = start; i < this.at; i++)
      if (this.buffer[i]! >= 0x80) return this.buffer.subarray(start, this.at);
    return characters.slice(start - from, this.at - from);
  }
}

/** Bytes of the buffer from `from` on, each as the character of its number. */
interface Text {
  readonly from: number;
  readonly characters: string;
}
