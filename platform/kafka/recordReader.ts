/** A value is text where all its bytes are ASCII: so it is the same bytes, and no buffer is made that nobody reads. */
type HeaderValue = string | Buffer | null;
export type DecodedHeaders = Record<string, HeaderValue | HeaderValue[]>;

/** Names of headers by their places in a record. */
export type Names = (string | undefined)[];

/** Places whose names are remembered; a fact has a dozen headers. */
const MOST_PLACES = 32;

const plain = { writable: true, enumerable: true, configurable: true };

/** Reads on in a batch from where it is. */
export class Reader {
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

  /**
   * Those up to `end`, where the record ends. `names` are those of the records before, by their places, no two the same:
   * mostly they are this one's, and nothing is to be looked for then.
   */
  headers(end: number, names: Names): DecodedHeaders {
    const headers: DecodedHeaders = {};
    const count = this.varInt();
    if (count <= 0) return headers;
    // In one go: what is taken of it then is no copy.
    const text: Text = { from: this.at, characters: this.buffer.toString('latin1', this.at, end) };
    let isKnown = true;
    for (let place = 0; place < count; place++) {
      const length = this.varInt();
      const known = names[place];
      const isHere = known?.length === length && text.characters.startsWith(known, this.at - text.from);
      const name = isHere ? known : this.newName(length, place, names);
      this.at += length;
      const value = this.value(text);
      isKnown &&= isHere;
      if (isKnown) headers[name] = value;
      else if (Object.hasOwn(headers, name)) headers[name] = [headers[name]!, value].flat();
      else Object.defineProperty(headers, name, { value, ...plain });
    }
    return headers;
  }

  private newName(length: number, place: number, names: Names): string {
    const name = this.buffer.toString('utf8', this.at, this.at + length);
    // As many characters as bytes: it can be found in the text. To be assigned like others it must not mean anything.
    if (place < MOST_PLACES && name.length === length && name !== '__proto__') {
      const elsewhere = names.indexOf(name);
      if (elsewhere >= 0) names[elsewhere] = undefined;
      names[place] = name;
    }
    return name;
  }

  private value({ from, characters }: Text): HeaderValue {
    const length = this.varInt();
    if (length < 0) return null;
    const start = this.at;
    this.at += length;
    return isAscii(this.buffer, start, this.at)
      ? characters.slice(start - from, this.at - from)
      : this.buffer.subarray(start, this.at);
  }
}

function isAscii(buffer: Buffer, start: number, end: number): boolean {
  let bits = 0;
  let at = start;
  for (; at + 4 <= end; at += 4) bits |= buffer[at]! | buffer[at + 1]! | buffer[at + 2]! | buffer[at + 3]!;
  for (; at < end; at++) bits |= buffer[at]!;
  return bits < 0x80;
}

/** Bytes of the buffer from `from` on, each as the character of its number. */
interface Text {
  readonly from: number;
  readonly characters: string;
}
