import fc from 'fast-check';
import { createKafka } from '../../platform/kafka';
import { encodeRecord } from '../../platform/kafka/recordEncoder';

type Encode = (record: object) => { readonly buffer: Buffer; size(): number };

const path = 'kafkajs/src/protocol/recordBatch/record/v0';
let published!: Encode;
jest.isolateModules(() => (published = jest.requireActual<Encode>(path)));

const text = fc.string({ unit: 'binary', maxLength: 300 });
const bytes = fc.uint8Array({ maxLength: 20_000 }).map((array) => Buffer.from(array));
const content = fc.option(fc.oneof(text, bytes));
const header = fc.oneof(text, bytes);
const record = fc.record({
  offsetDelta: fc.nat(),
  timestampDelta: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  key: content,
  value: content,
  headers: fc.dictionary(text, fc.oneof(header, fc.array(header, { maxLength: 3 })), { maxKeys: 15 }),
});

test('a record is encoded byte for byte as kafkajs encodes it', () => {
  fc.assert(
    fc.property(record, (one) => {
      const ours = encodeRecord(one);
      const theirs = published(one);
      expect(ours.size()).toBe(theirs.size());
      expect(Buffer.compare(ours.buffer, theirs.buffer)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('a record larger than what records share, and many that do not fit together', () => {
  const records = [300_000, ...Array.from({ length: 60 }, () => 10_000)].map((length, i) => ({
    ...{ offsetDelta: i, key: `key-${i}`, value: Buffer.alloc(length, i), headers: { a: ['b', 'c'] } },
  }));
  // Encoded first and compared then: none may have written over another.
  const ours = records.map((one) => encodeRecord(one));
  for (const [i, one] of records.entries()) expect(ours[i]!.buffer.equals(published(one).buffer)).toBe(true);
});

test('the port to Kafka has kafkajs encode with it', () => {
  expect(createKafka).toBeDefined();
  const record = { key: 'key', value: 'value' };
  expect(jest.requireActual<Encode>(path)(record)).toBeInstanceOf(encodeRecord(record).constructor);
});
