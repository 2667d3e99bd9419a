/** A value is text where all its bytes are ASCII: so it is the same bytes, and no buffer is made that nobody reads. */
type HeaderValue = string | Buffer | null;
export type DecodedHeaders = Record<string, HeaderValue | HeaderValue[]>;

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
