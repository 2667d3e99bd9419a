import fc from 'fast-check';
import { byPartition } from '../../platform/kafka/ownParts';
import { produceRequest, type ProduceRequestOptions } from '../../platform/kafka/produceRequest';

interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  expectResponse(): boolean;
  encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer; size(): number }>;
}
type MakeRequest = (options: ProduceRequestOptions) => Request;

const requestPath = 'kafkajs/src/protocol/requests/produce/v3/request';
const groupPath = 'kafkajs/src/producer/groupMessagesPerPartition';
let published!: MakeRequest;
let publishedGroups!: typeof byPartition;
jest.isolateModules(() => {
  published = jest.requireActual<MakeRequest>(requestPath);
  publishedGroups = jest.requireActual<typeof byPartition>(groupPath);
});

const text = fc.string({ unit: 'binary', maxLength: 300 });
const bytes = fc.uint8Array({ maxLength: 20_000 }).map((array) => Buffer.from(array));
const content = fc.option(fc.oneof(text, bytes));
const header = fc.oneof(text, bytes);
const message = fc.record(
  {
    key: content,
    value: content,
    headers: fc.dictionary(text, fc.oneof(header, fc.array(header, { maxLength: 3 })), { maxKeys: 15 }),
    timestamp: fc.integer({ min: 1e12, max: 2e12 }).map(String),
  },
  { requiredKeys: ['key', 'value'] },
);
const partition = fc.record({
  partition: fc.nat(),
  firstSequence: fc.nat(),
  messages: fc.array(message, { minLength: 1, maxLength: 8 }),
});
const options: fc.Arbitrary<ProduceRequestOptions> = fc.record({
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.nat(),
  transactionalId: fc.option(fc.constant('transaction')),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 62n }).map(String),
  producerEpoch: fc.nat(30_000),
  topicData: fc.array(fc.record({ topic: text, partitions: fc.array(partition, { maxLength: 3 }) }), {
    maxLength: 3,
  }),
});

async function expectSameBytes(given: ProduceRequestOptions): Promise<void> {
  const [ours, theirs] = [produceRequest(given), published(given)];
  const { encode: encodeOurs, ...sayOurs } = ours;
  const { encode: encodeTheirs, ...sayTheirs } = theirs;
  expect({ ...sayOurs, expectResponse: ours.expectResponse() }).toEqual({
    ...sayTheirs,
    expectResponse: theirs.expectResponse(),
  });
  const [own, other] = [await encodeOurs(), await encodeTheirs()];
  expect(own.size()).toBe(other.size());
  expect(own.buffer.equals(other.buffer)).toBe(true);
}

beforeAll(() => void jest.spyOn(Date, 'now').mockReturnValue(1_800_000_000_000));

test('a request is encoded byte for byte as kafkajs encodes it', async () => {
  await fc.assert(fc.asyncProperty(options, expectSameBytes), { numRuns: 300 });
});

test.each([0, 20, 63, 64, 8_150, 8_200, 1_100_000])(
  'a record whose length takes other bytes: %i',
  async (length) => {
    const messages = ['a', 'é'].map((letter) => ({
      key: 'key',
      value: letter.repeat(length),
      headers: { a: ['b', letter] },
    }));
    await expectSameBytes({
      ...{ acks: -1, timeout: 8_000 },
      topicData: [{ topic: 'rides', partitions: [{ partition: 1, messages }] }],
    });
  },
);

test('compressed records are refused, not sent as they are', () => {
  expect(() => produceRequest({ acks: -1, timeout: 1, compression: 1, topicData: [] }).encode()).toThrow(
    RangeError,
  );
});

test('messages are grouped as kafkajs groups them', () => {
  const group = (groups: typeof byPartition) =>
    groups({
      ...{ topic: 'rides', partitionMetadata: [{}, {}], messages: [5, 1, 3, 2] },
      partitioner: ({ message: n }) => n % 2,
    });
  expect(group(byPartition)).toEqual(group(publishedGroups));
  expect(byPartition({ topic: 't', partitionMetadata: [], messages: [1], partitioner: () => 0 })).toEqual({});
});
