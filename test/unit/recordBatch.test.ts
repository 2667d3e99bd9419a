import { isAscii } from 'node:buffer';
import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { decodeBatchOr, type DecodeBatch, type FetchDecoder } from '../../platform/kafka/recordBatch';

interface Encoded {
  readonly buffer: Buffer;
}
const path = 'kafkajs/src/protocol/recordBatch';
const { RecordBatch } = jest.requireActual<{ RecordBatch: (batch: object) => Promise<Encoded> }>(
  `${path}/v0`,
);
const makeRecord = jest.requireActual<(record: object) => Encoded>(`${path}/record/v0`);
const published = jest.requireActual<DecodeBatch>(`${path}/v0/decoder`);
const Decoder = jest.requireActual<new (buffer: Buffer) => FetchDecoder>('kafkajs/src/protocol/decoder');
const ours = decodeBatchOr(published);

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));
const content = fc.option(bytes);
const name = fc
  .oneof(fc.constantFrom('ce_id', 'ce_type', 'é'), fc.string({ unit: 'binary' }))
  // Of these kafkajs makes a list that begins with what each object has.
  .filter((text) => !(text in {}));
const headerValue = fc.oneof(
  fc.string({ unit: 'binary-ascii' }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  bytes,
);
const record = fc.record({
  offsetDelta: fc.nat(1_000_000),
  timestampDelta: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  key: content,
  value: content,
  headers: fc.dictionary(name, fc.oneof(headerValue, fc.array(headerValue, { maxLength: 3 })), {
    maxKeys: 15,
  }),
});
const batch = fc.record({
  firstOffset: fc.nat(),
  firstTimestamp: fc.integer({ min: -1, max: 4e12 }),
  maxTimestamp: fc.integer({ min: -1, max: 4e12 }),
  partitionLeaderEpoch: fc.nat(),
  lastOffsetDelta: fc.nat(),
  transactional: fc.boolean(),
  producerId: fc.integer({ min: -1 }),
  producerEpoch: fc.nat(30_000),
  firstSequence: fc.nat(),
  compression: fc.constantFrom(0, 0, 0, 1),
  records: fc.array(record, { maxLength: 8 }),
});
type Batch = typeof batch extends fc.Arbitrary<infer B> ? B : never;

/** The batch as it lies between others' bytes. */
async function encoded({ records, ...rest }: Batch): Promise<Buffer> {
  const { buffer } = await RecordBatch({ ...rest, records: records.map(makeRecord) });
  return Buffer.concat([Buffer.alloc(7, 1), buffer, Buffer.alloc(5, 2)]);
}

/** What was written into such a batch, as if its producer had written it. */
function withChecksum(buffer: Buffer): Buffer {
  buffer.writeUInt32BE(crc32c(buffer.subarray(7 + 21, -5)), 7 + 17);
  return buffer;
}

async function decodedBy(decode: DecodeBatch, buffer: Buffer) {
  const decoder = new Decoder(buffer);
  decoder.offset = 7;
  const read = await decode(decoder);
  return { read, end: decoder.offset };
}

/** Headers with each value as its bytes, and of each whether it is text. */
function bytesOf(headers: object) {
  return Object.entries(headers).map(([key, value]) => [
    key,
    [value].flat().map((one: string | Buffer | null) => one && Buffer.from(one as string).toString('hex')),
  ]);
}

/** All that kafkajs and the house ask a record for. */
const asked = ({ records, ...rest }: Awaited<ReturnType<DecodeBatch>>) => ({
  ...rest,
  records: records.map((one) => ({
    ...{ offset: one.offset, timestamp: one.timestamp, attributes: one.attributes, key: one.key },
    ...{ value: one.value, magicByte: one.magicByte, isControlRecord: one.isControlRecord },
    ...{ batchContext: one.batchContext, headers: bytesOf(one.headers) },
  })),
});

test('a batch is read as kafkajs reads it, and header values that are ASCII are text', async () => {
  await fc.assert(
    fc.asyncProperty(batch, async (given) => {
      const buffer = await encoded(given);
      const [own, theirs] = [await decodedBy(ours, buffer), await decodedBy(published, buffer)];
      expect(own.end).toBe(theirs.end);
      expect(asked(own.read)).toMatchObject(asked(theirs.read));
      if (given.compression !== 0) return;
      for (const { headers } of own.read.records)
        for (const value of Object.values(headers).flat())
          expect(typeof value).toBe(isAscii(Buffer.from(value!)) ? 'string' : 'object');
    }),
    { numRuns: 500 },
  );
});

test('headers may have any name, several times', async () => {
  const headers = Object.fromEntries(['__proto__', 'toString', 'a'].map((one) => [one, ['b', 'c']]));
  const { read } = await decodedBy(ours, await encoded({ ...aBatch, records: [{ ...aRecord, headers }] }));
  expect(Object.entries(read.records[0]!.headers)).toEqual(Object.entries(headers));
});

test('a name that comes twice is told twice, wherever records before had it', async () => {
  const all: Record<string, string | string[]>[] = [
    { a: '1', b: '2' },
    { b: '3' },
    { b: ['4', '5'] },
    { c: '6', b: ['7', '8'] },
  ];
  const records = all.map((headers, offsetDelta) => ({ ...aRecord, offsetDelta, headers }));
  const { read } = await decodedBy(ours, await encoded({ ...aBatch, lastOffsetDelta: 3, records }));
  expect(read.records.map(({ headers }) => ({ ...headers }))).toEqual(all);
});

const aRecord = {
  ...{ offsetDelta: 0, timestampDelta: 20, key: Buffer.from('k'), value: null },
  headers: { ce_id: 'thing/1' },
};
const aBatch: Batch = {
  ...{ firstOffset: 40, firstTimestamp: 1_000, maxTimestamp: 5_000, partitionLeaderEpoch: 0 },
  ...{ lastOffsetDelta: 1, transactional: false, producerId: -1, producerEpoch: 0, firstSequence: 0 },
  compression: 0,
  records: [aRecord, { ...aRecord, offsetDelta: 1 }],
};

test('what the broker has cut off is refused as kafkajs refuses it', async () => {
  const buffer = await encoded(aBatch);
  for (let length = 7 + 49; length < buffer.length - 5; length++)
    await expect(decodedBy(ours, buffer.subarray(0, length))).rejects.toMatchObject({
      name: 'KafkaJSPartialMessageError',
    });
});

test.each([
  ['the time of the log', 0x08, { timestamp: '5000', isControlRecord: false }],
  ['a marker of a transaction', 0x20, { timestamp: '1020', isControlRecord: true }],
])('%s', async (_what, attributes, wanted) => {
  const buffer = await encoded(aBatch);
  buffer.writeInt16BE(attributes, 7 + 21);
  withChecksum(buffer);
  for (const decode of [ours, published])
    expect(asked((await decodedBy(decode, buffer)).read).records[1]).toMatchObject({
      offset: '41',
      ...wanted,
    });
});

test.each([
  ['goes on behind its batch', 0x7e, 'at its byte 62 ends at 125'],
  ['ends before it begins', 0x01, 'at its byte 62 ends at 61'],
  ['has nothing', 0x00, 'at its byte 62 ends at 62'],
])('a record that %s is refused', async (_what, length, how) => {
  const buffer = await encoded(aBatch);
  buffer[7 + 61] = length;
  await expect(decodedBy(ours, withChecksum(buffer))).rejects.toThrow(
    new RangeError(`the batch of records from offset 40 is damaged: a record ${how}`),
  );
});

test.each([0, 1] as const)(
  'a batch of which a bit is another one is refused (compression %p)',
  async (compression) => {
    const whole = await encoded({ ...aBatch, compression });
    for (let byte = 7 + 17; byte < whole.length - 5; byte++) {
      const buffer = Buffer.from(whole);
      buffer[byte]! ^= 1 << (byte % 8);
      await expect(decodedBy(ours, buffer)).rejects.toThrow(
        /^the batch of records from offset 40 is damaged: its checksum says \d+, its bytes \d+$/,
      );
    }
  },
);

test.each([-30, 0, 48])('a batch that says it has %i bytes is refused', async (bytes) => {
  const buffer = await encoded(aBatch);
  buffer.writeInt32BE(bytes, 7 + 8);
  await expect(decodedBy(ours, buffer)).rejects.toThrow(
    `the batch of records from offset 40 is damaged: it ends at its byte ${12 + bytes}`,
  );
});
