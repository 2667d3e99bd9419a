import { byPartition } from '../../platform/kafka/ownParts';
import { produceRequest } from '../../platform/kafka/produceRequest';
import { decodeBatchOr, type DecodeBatch } from '../../platform/kafka/recordBatch';

const src = 'kafkajs/src';
const decoder = `${src}/protocol/recordBatch/v0/decoder`;

test.each(['platform/kafka', 'platform/kafka/acls', 'platform/kafka/topics', 'platform/kafka/copies'])(
  'kafkajs works with our parts where %s is loaded first',
  (first) => {
    const found = new Map<string, unknown>();
    jest.isolateModules(() => {
      // Who of kafkajs uses a part keeps what it finds when it is loaded.
      for (const [user, part] of [
        ['producer/sendMessages', 'producer/groupMessagesPerPartition'],
        ['broker/index', 'protocol/requests/produce/v3/request'],
        ['protocol/requests/fetch/v4/decodeMessages', 'protocol/recordBatch/v0/decoder'],
      ])
        jest.doMock(`${src}/${user}`, () => {
          found.set(part!, jest.requireActual(`${src}/${part}`));
          return jest.requireActual<object>(`${src}/${user}`);
        });
      jest.requireActual(`../../${first}`);
      // Loaded with the first fetch.
      jest.requireMock(`${src}/protocol/requests/fetch/v4/decodeMessages`);
    });
    const published = jest.requireActual<DecodeBatch>(decoder);
    expect([...found].map(([part, own]) => [part, String(own)]).sort()).toEqual(
      [
        ['producer/groupMessagesPerPartition', String(byPartition)],
        ['protocol/recordBatch/v0/decoder', String(decodeBatchOr(published))],
        ['protocol/requests/produce/v3/request', String(produceRequest)],
      ].sort(),
    );
  },
);
