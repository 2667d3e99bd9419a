import { topicsRead } from '../../contracts/catalogue';
import { lastingConsumers } from '../../contracts/consumers';
import { deadLetterTopic } from '../../contracts/topics';
import { runInbox } from '../../platform/inbox';
import {
  createFactProducer,
  createKafka,
  createTopics,
  groupLag,
  readTopicRaw,
  runConsumer,
  type Kafka,
  type KafkaAddress,
  type OutgoingRecord,
} from '../../platform/kafka';
import {
  eventually,
  factRecord,
  quiet,
  readAll,
  running,
  stopAll,
  testDatabase,
  type TestDatabase,
} from '../support/backbone';
import { insertEffects } from '../support/inboxBench';
import { startSecuredBroker, type SecuredBroker } from '../support/securedBroker';

/**
 * The processes at their work, with a broker that asks for TLS and logins, by the rights that are declared. What it denies
 * them is asked one by one in `kafkaSecurity.test.ts`.
 */
const prefix = 'secured.';
let secured: SecuredBroker;
let admin: Kafka;
let db: TestDatabase;

beforeAll(async () => {
  secured = await startSecuredBroker(prefix);
  admin = as(secured.admin);
  await createTopics(admin, [{ topic: 'stranger', partitions: 1 }]);
  db = await testDatabase();
}, 90_000);
afterEach(stopAll);
afterAll(async () => {
  await db?.drop();
  await secured?.broker.stop();
}, 30_000);

const as = (address: KafkaAddress): Kafka => createKafka({ ...address, clientId: 'test', log: quiet });

/** What one of our principals sends. */
async function send(principal: string, records: readonly OutgoingRecord[]): Promise<void> {
  const producer = createFactProducer(as(secured.addressOf(principal)), { log: quiet });
  await producer.send(records).finally(() => producer.disconnect());
}

/** Until a group has committed what there is of these topics. */
const committed = (group: string, ofTopics: string[]) =>
  eventually(
    async () => (await groupLag(admin, group, ofTopics)).reduce((sum, { lag }) => sum + lag, 0),
    (lag) => lag === 0,
  );

test.each(lastingConsumers)('%s applies facts, commits, and writes its dead letters', async (name) => {
  const group = prefix + name;
  const own = topicsRead(name).map((topic) => prefix + topic);
  const good = own.map((topic) => factRecord(topic, `${name} of ${topic}`, 1));
  await send('relay', [...good, ...own.map((topic) => factRecord(topic, `${name} not`, 1))]);
  const inbox = running((signal) =>
    runInbox({
      ...{ group, topics: own, pool: db.subject, kafka: as(secured.addressOf(name)), signal, log: quiet },
      handle: (tx, facts) =>
        facts.some(({ key }) => key === `${name} not`)
          ? Promise.reject(new Error('cannot take this'))
          : insertEffects(tx, facts),
    }),
  );
  await committed(group, own);
  await inbox.stop();
  const { rows } = await db.pool.query<{ id: string }>('select fact_id as id from effects');
  expect(rows.map(({ id }) => id)).toEqual(
    expect.arrayContaining(good.map(({ headers }) => headers['ce_id'])),
  );
  const letters = await readAll(admin, prefix + deadLetterTopic(name).name);
  const dead = letters.filter(({ key }) => String(key) === `${name} not`);
  expect(dead.map(({ headers }) => String(headers['dlq_topic'])).sort()).toEqual([...own].sort());
});

test.each([
  ['location', 'location', 'driver-positions', 'gateway'],
  ['location', 'location-rides', 'rides', 'relay'],
  ['tracks', 'tracks-zones', 'driver-positions', 'gateway'],
  ['tracks', 'tracks-paths', 'driver-positions', 'gateway'],
])('%s reads and commits as %s what %s has', async (name, group, topic, writer) => {
  await send(writer, [factRecord(prefix + topic, group, 1)]);
  const keys: string[] = [];
  const reading = running((signal) =>
    runConsumer({
      ...{
        kafka: as(secured.addressOf(name)),
        group: prefix + group,
        topics: [prefix + topic],
        signal,
        log: quiet,
      },
      startAt: () => 0,
      async onBatch(batch) {
        keys.push(...batch.records.map(({ key }) => String(key)));
        await batch.commit(batch.records.at(-1)!.offset + 1);
      },
    }),
  );
  await committed(prefix + group, [prefix + topic]);
  await reading.stop();
  expect(keys).toContain(group);
});

test.each([
  ['payments', 'payments', 'relay', 'ratings'],
  ['location', 'driver-positions', 'gateway', 'payments'],
])('%s reads the log of %s from a place of its choice, and no other', async (name, own, writer, others) => {
  const kafka = as(secured.addressOf(name));
  await send(writer, [factRecord(prefix + own, `${name} reads`, 1)]);
  await send('relay', [factRecord(prefix + others, `${name} may not`, 1)]);
  const found: string[] = [];
  await readTopicRaw({
    ...{ kafka, topic: prefix + own, reader: name },
    onRecord: ({ key }) => void found.push(String(key)),
  });
  expect(found).toContain(`${name} reads`);
  const reading = { kafka, onRecord: () => {} };
  await expect(readTopicRaw({ ...reading, topic: prefix + others, reader: name })).rejects.toThrow();
  await expect(
    readTopicRaw({ ...reading, topic: prefix + own, reader: 'another', timeoutMs: 3_000 }),
  ).rejects.toThrow();
});
