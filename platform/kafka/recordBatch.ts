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
  readonly batchContext: Readonly<Record<string, unknown>>;
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

    const firstOffset = Number(buffer.readBigInt64BE(start + at.firstOffset));
    const firstTimestamp = Number(buffer.readBigInt64BE(start + at.firstTimestamp));
    const maxTimestamp = String(buffer.readBigInt64BE(start + at.maxTimestamp));
    const isLogAppendTime = (attributes & flags.isLogAppendTime) !== 0;
    const isControlRecord = (attributes & flags.isControl) !== 0;
    const magicByte = buffer.readInt8(start + at.magicByte);
    const batchContext = {
      ...{
        firstOffset: String(firstOffset),
        firstTimestamp: String(firstTimestamp),
        maxTimestamp,
        magicByte,
      },
      partitionLeaderEpoch: buffer.readInt32BE(start + at.leaderEpoch),
      lastOffsetDelta: buffer.readInt32BE(start + at.lastOffsetDelta),
      inTransaction: (attributes & flags.inTransaction) !== 0,
      isControlBatch: isControlRecord,
      timestampType: isLogAppendTime ? 1 : 0,
      producerId: String(buffer.readBigInt64BE(start + at.producerId)),
      producerEpoch: buffer.readInt16BE(start + at.producerEpoch),
      firstSequence: buffer.readInt32BE(start + at.firstSequence),
    };
    const reader = new RecordReader(buffer, start + at.records);
    const records: DecodedRecord[] = [];
    for (let left = buffer.readInt32BE(start + at.count); left > 0; left--) {
      const recordEnd = reader.varInt() + reader.at;
      if (!(recordEnd <= end))
        throw new RangeError(`a record ends ${recordEnd - end} bytes behind its batch`);
      const recordAttributes = buffer.readInt8(reader.at++);
      const timestampDelta = reader.varLong();
      const offsetDelta = reader.varInt();
      records.push({
        offset: String(firstOffset + offsetDelta),
        timestamp: isLogAppendTime ? maxTimestamp : String(firstTimestamp + timestampDelta),
        key: reader.bytes(),
        value: reader.bytes(),
        headers: reader.headers(recordEnd),
        attributes: recordAttributes,
        magicByte,
        isControlRecord,
        batchContext,
      });
      reader.at = recordEnd;
    }
    return { ...batchContext, records };
  };

const plain = { writable: true, enumerable: true, configurable: true };

/** Reads on in a batch from where it is. */
class RecordReader {
  /** The names in the record before, by their places: those of this one are mostly the same. */
  private readonly names: string[] = [];

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

  bytes(): Buffer | null {
    const length = this.varInt();
    return length < 0 ? null : this.buffer.subarray(this.at, (this.at += length));
  }

  /** Those up to `end`, where the record ends. */
  headers(end: number): DecodedHeaders {
    const headers: DecodedHeaders = {};
    const count = this.varInt();
    if (count <= 0) return headers;
    // In one go: what is taken of it then is no copy.
    const text: Text = { from: this.at, characters: this.buffer.toString('latin1', this.at, end) };
    for (let place = 0; place < count; place++) {
      const name = this.name(text, place);
      const value = this.value(text);
      if (Object.hasOwn(headers, name)) headers[name] = [headers[name]!, value].flat();
      else if (name === '__proto__') Object.defineProperty(headers, name, { value, ...plain });
      else headers[name] = value;
    }
    return headers;
  }

  private name({ from, characters }: Text, place: number): string {
    const length = this.varInt();
    const start = this.at;
    this.at += length;
    const known = this.names[place];
    if (known?.length === length && characters.startsWith(known, start - from)) return known;
    const name = this.buffer.toString('utf8', start, this.at);
    // As many characters as bytes: it can be found in the text.
    if (name.length === length) this.names[place] = name;
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
