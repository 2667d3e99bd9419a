/** What is used here of kafkajs's decoder of Kafka's protocol (2.2.4, its last release but for betas). */
interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readVarInt(): number;
}
type Headers = Record<string, Buffer | null | (Buffer | null)[]>;

/**
 * Has kafkajs read a record's headers in one go. It makes a new object for each header, with all of those before it: a
 * third of the time that a fact with its twelve headers takes to be decoded. `readVarIntArray` is what its decoder of records
 * calls, and nothing else; what it gives is only reduced to the headers' object, so that is what it gives here.
 */
export function readHeadersFast(): void {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- there is no other way to it
  const { prototype } = require('kafkajs/src/protocol/decoder') as {
    prototype: Decoder & { readVarIntArray: () => { reduce: () => Headers } };
  };
  prototype.readVarIntArray = function (this: Decoder) {
    const count = this.readVarInt();
    const headers: Headers = {};
    for (let i = 0; i < count; i++) {
      const length = this.readVarInt();
      const name = this.buffer.toString('utf8', this.offset, (this.offset += length));
      const size = this.readVarInt();
      const value = size < 0 ? null : this.buffer.subarray(this.offset, (this.offset += size));
      if (Object.hasOwn(headers, name)) headers[name] = [headers[name]!, value].flat();
      else if (name === '__proto__') Object.defineProperty(headers, name, { value, enumerable: true });
      else headers[name] = value;
    }
    return { reduce: () => headers };
  };
}
