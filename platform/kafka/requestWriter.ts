export type Content = Buffer | string | null | undefined;

/** kafkajs has numbers of 64 bits as objects of its own. */
export type Int64 = { toString(): string };

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function sizeOfVarint(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Bytes that a record's length takes between 64 and 8,191 bytes. */
const usualLengthBytes = 2;
/** Text up to this length is written here, character by character: to ask for it costs more. */
const shortText = 63;

/** A buffer that grows, in the form in which kafkajs takes what is encoded: `buf`, `buffer` and `size()`. */
export class RequestWriter {
  buf: Buffer;
  private at = 0;

  constructor(capacity: number) {
    this.buf = Buffer.allocUnsafeSlow(capacity);
  }

  get buffer(): Buffer {
    return this.from(0);
  }

  size(): number {
    return this.at;
  }

  from(start: number): Buffer {
    return this.buf.subarray(start, this.at);
  }

  byte(value: number): void {
    this.room(1);
    this.buf[this.at++] = value;
  }

  int16(value: number): void {
    this.room(2);
    this.at = this.buf.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.room(4);
    this.at = this.buf.writeInt32BE(value, this.at);
  }

  int64(value: Int64): void {
    this.room(8);
    this.at = this.buf.writeBigInt64BE(BigInt(value.toString()), this.at);
  }

  /** With its length in 16 bits. */
  string(value: string | null): void {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.byteLength(value);
    this.int16(bytes);
    this.text(value, bytes);
  }

  /** Leaves room for 32 bits. @returns where, for `fill` */
  later(): number {
    this.int32(0);
    return this.at - 4;
  }

  fill(at: number, value: number): void {
    this.buf.writeUInt32BE(value, at);
  }

  varint(value: number): void {
    let rest = zigzag(value);
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) + 0x80);
    this.byte(rest);
  }

  /** With its length as a varint. */
  content(value: Content): void {
    if (value === null || value === undefined) return this.varint(-1);
    if (typeof value === 'string') {
      if (this.ascii(value)) return;
      const bytes = Buffer.byteLength(value);
      this.varint(bytes);
      this.text(value, bytes);
    } else {
      this.varint(value.length);
      this.room(value.length);
      this.at += value.copy(this.buf, this.at);
    }
  }

  /** A record's length is known at its end, and nearly always takes two bytes. @returns where it begins */
  beginRecord(): number {
    this.room(usualLengthBytes);
    return (this.at += usualLengthBytes);
  }

  endRecord(start: number): void {
    const bytes = this.at - start;
    const move = sizeOfVarint(bytes) - usualLengthBytes;
    if (move > 0) this.room(move);
    if (move !== 0) this.buf.copyWithin(start + move, start, this.at);
    this.at = start - usualLengthBytes;
    this.varint(bytes);
    this.at += bytes;
  }

  /** Writes short text with its length where it is ASCII; says whether it was. */
  private ascii(value: string): boolean {
    const { length } = value;
    if (length > shortText) return false;
    this.room(length + 1);
    const { buf, at } = this;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      buf[at + 1 + i] = code;
    }
    buf[at] = 2 * length;
    this.at = at + 1 + length;
    return true;
  }

  private text(value: string, bytes: number): void {
    this.room(bytes);
    this.at += this.buf.write(value, this.at);
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.buf.length) return;
    const wider = Buffer.allocUnsafeSlow(2 * (this.at + bytes));
    this.buf.copy(wider, 0, 0, this.at);
    this.buf = wider;
  }
}
