import {
  createFactProducer,
  waitForCoordinator,
  withAdmin,
  type FactProducer,
  type OutgoingRecord,
} from '../../platform/kafka';
import { inboxSummary, runInbox, type Handle, type InboxOptions } from '../../platform/inbox';
import {
  deleteTopics,
  eventually,
  factRecord,
  quiet,
  readAll,
  running,
  stopAll,
  testDatabase,
  testKafka,
  testTopic,
  unique,
  upTo,
  type TestDatabase,
} from '../support/backbone';

const kafka = testKafka();
const topics: string[] = [];
let producer: FactProducer;
let db: TestDatabase;
let topic: string;
let group: string;

beforeAll(() => waitForCoordinator(kafka), 60_000);
beforeEach(async () => {
  producer = createFactProducer(kafka, { log: quiet });
  db = await testDatabase();
  group = unique('inbox');
  topic = await testTopic(kafka, 3, unique('inbox'));
  topics.push(topic, await testTopic(kafka, 3, `${group}.dead-letter`, { 'max.message.bytes': '4000000' }));
});
afterEach(async () => {
  await stopAll();
  await producer.disconnect();
  await db.drop();
});
afterAll(() => deleteTopics(kafka, topics));

/** The effect: one row a fact, so that a second effect is seen. */
const insertEffects: Handle = async (tx, facts) => {
  await tx.query(`insert into effects (fact_id) select unnest($1::text[])`, [facts.map(({ id }) => id)]);
};
const consuming = (handle: Handle = insertEffects, options: Partial<InboxOptions> = {}) =>
  running((signal) =>
    runInbox({ group, topics: [topic], pool: db.pool, kafka, handle, signal, log: quiet, ...options }),
  );

/** Ids of the facts that had an effect, in order. */
const effects = async (): Promise<string[]> =>
  (await db.pool.query<{ id: string }>('select fact_id as id from effects order by place')).rows.map(
    ({ id }) => id,
  );
const effectsOf = (ids: string[], key: string): number[] =>
  ids.filter((id) => id.startsWith(`thing.changed/${key}/`)).map((id) => Number(id.split('/')[2]));
const parked = async (): Promise<object[]> =>
  (
    await db.pool.query<object>(
      `select key, fact_id as "factId", head, reason from inbox_parked order by topic, partition, "offset"`,
    )
  ).rows;
const readTo = (count: number) =>
  eventually(
    async () =>
      (
        await db.pool.query<{ n: number }>(
          'select coalesce(sum(next_offset), 0)::bigint as n from inbox_positions',
        )
      ).rows[0]!.n,
    (n) => n >= count,
    30_000,
  );
const ids = (key: string, sequences: number[]): string[] => sequences.map((n) => `thing.changed/${key}/${n}`);

test('facts that are delivered twice have their effect once', async () => {
  const facts = upTo(30).flatMap((n) => ['a', 'b', 'c'].map((key) => factRecord(topic, key, n)));
  const inbox = consuming();
  await producer.send(facts);
  await producer.send(facts.slice(40));
  await producer.send([...facts.slice(0, 50), factRecord(topic, 'a', 31)]);
  await readTo(191);
  await inbox.stop();
  const seen = await effects();
  expect(seen).toHaveLength(91);
  expect(effectsOf(seen, 'a')).toEqual(upTo(31));
  expect(await inboxSummary(db.pool, group)).toEqual({ applied: 91, parkedKeys: 0, parkedFacts: 0 });
});

test('an effect that is committed while its offset is not is not had again', async () => {
  const facts = upTo(40).flatMap((n) => ['a', 'b'].map((key) => factRecord(topic, key, n)));
  await producer.send(facts);
  const first = consuming();
  await readTo(80);
  await first.stop();
  // Without committed offsets the group starts at the beginning.
  const rewind = () => withAdmin(kafka, (admin) => admin.deleteGroups([group]));
  await rewind();
  const second = consuming();
  await producer.send([factRecord(topic, 'a', 41)]);
  await readTo(81);
  await second.stop();
  expect(await effects()).toHaveLength(81);

  // The sequences hold without the positions as well: a relay's repeats come at new offsets.
  await rewind();
  await db.pool.query('delete from inbox_positions');
  const third = consuming();
  await readTo(81);
  await third.stop();
  expect(await effects()).toHaveLength(81);
});

test('a poisonous fact goes to the dead-letter topic, its key waits behind it in order, other keys go on', async () => {
  const poison: Handle = async (tx, facts) => {
    await insertEffects(tx, facts);
    if (facts.some(({ key, sequence }) => key === 'b' && sequence === 2))
      throw new RangeError('cannot take this');
  };
  const inbox = consuming(poison);
  const facts = upTo(4).flatMap((n) => ['a', 'b', 'c', 'd'].map((key) => factRecord(topic, key, n, { n })));
  await producer.send(facts);
  await readTo(16);
  await producer.send([factRecord(topic, 'b', 5), factRecord(topic, 'a', 5)]);
  await readTo(18);
  await inbox.stop();

  const seen = await effects();
  expect(effectsOf(seen, 'b')).toEqual([1]);
  expect(['a', 'c', 'd'].map((key) => effectsOf(seen, key))).toEqual([upTo(5), upTo(4), upTo(4)]);
  expect(await parked()).toEqual([
    { key: 'b', factId: 'thing.changed/b/2', head: true, reason: 'cannot take this' },
    ...ids('b', [3, 4, 5]).map((factId) => ({ key: 'b', factId, head: false, reason: null })),
  ]);
  const [letter, ...others] = await readAll(kafka, `${group}.dead-letter`);
  expect(others).toEqual([]);
  const headers = Object.fromEntries(
    Object.entries(letter!.headers).map(([name, value]) => [name, String(value)]),
  );
  expect([String(letter!.key), String(letter!.value)]).toEqual(['b', '{"n":2}']);
  expect(headers).toMatchObject({
    ce_id: 'thing.changed/b/2',
    dlq_reason: 'cannot take this',
    dlq_attempts: '1',
    dlq_group: group,
    dlq_topic: topic,
  });
  expect(headers['dlq_stack']).toContain('RangeError');
  const original = (await readAll(kafka, topic)).find(
    (r) => String(r.headers['ce_id']) === 'thing.changed/b/2',
  )!;
  expect([headers['dlq_partition'], headers['dlq_offset']]).toEqual([
    `${original.partition}`,
    `${original.offset}`,
  ]);
});

test('what is no fact is put aside with its bytes, and the partition goes on', async () => {
  const fact = factRecord(topic, 'x', 1);
  const { ce_type: _, ...withoutType } = fact.headers;
  const bad: OutgoingRecord[] = [
    { ...fact, key: 'tombstone', value: null },
    { ...fact, key: 'not-json', value: '{"half":' },
    { ...fact, key: 'not-utf8', value: Buffer.from([0x22, 0xc3, 0x28, 0x22]) },
    { ...fact, key: 'no-type', headers: withoutType },
    { ...fact, key: 'no-sequence', headers: { ...fact.headers, ce_sequence: '0' } },
    { ...fact, key: null },
    { ...fact, key: Buffer.from([0xff, 0x00]) },
  ];
  await producer.send(bad);
  await producer.send(['a', 'b', 'c', 'tombstone'].map((key) => factRecord(topic, key, 1)));
  const inbox = consuming();
  await readTo(11);
  await inbox.stop();
  expect((await effects()).sort()).toEqual(['a', 'b', 'c'].flatMap((key) => ids(key, [1])));
  const letters = await readAll(kafka, `${group}.dead-letter`);
  expect(letters.map((r) => String(r.headers['dlq_reason'])).sort()).toEqual([
    'malformed_fact: ce_sequence is not 1, 2, 3, …',
    'malformed_fact: header ce_type is missing',
    'malformed_fact: the key is missing or not UTF-8',
    'malformed_fact: the key is missing or not UTF-8',
    'malformed_fact: the value is missing',
    'malformed_fact: the value is not JSON',
    'malformed_fact: the value is not JSON',
  ]);
  expect(letters.map(({ value }) => value)).toContainEqual(Buffer.from([0x22, 0xc3, 0x28, 0x22]));
  expect(await inboxSummary(db.pool, group)).toMatchObject({ applied: 3, parkedFacts: 8 });
});

test('a fact behind a gap is not applied', async () => {
  const inbox = consuming();
  await producer.send([1, 2, 4, 5, 3].map((n) => factRecord(topic, 'a', n)));
  await producer.send([factRecord(topic, 'b', 2)]);
  await readTo(6);
  await inbox.stop();
  expect(await effects()).toEqual(ids('a', [1, 2]));
  const reasons = (await parked()).map((p) => (p as { reason: string | null }).reason);
  expect(reasons.filter((reason) => reason !== null).sort()).toEqual([
    'gap: sequence 2 after 0',
    'gap: sequence 4 after 2',
  ]);
  expect(await inboxSummary(db.pool, group)).toMatchObject({ parkedKeys: 2, parkedFacts: 4 });
});

test('a retriable error holds its partition only, and nothing is lost or skipped', async () => {
  let failures = 0;
  const flaky: Handle = async (tx, facts) => {
    await insertEffects(tx, facts);
    if (facts.some(({ key }) => key === 'a') && failures < 6) {
      failures += 1;
      throw Object.assign(new Error('serialization'), { code: '40001' });
    }
  };
  const inbox = consuming(flaky);
  await producer.send(upTo(5).flatMap((n) => ['a', 'b', 'c', 'd'].map((key) => factRecord(topic, key, n))));
  await readTo(20);
  await inbox.stop();
  const seen = await effects();
  expect(['a', 'b', 'c', 'd'].map((key) => effectsOf(seen, key))).toEqual(Array(4).fill(upTo(5)));
  expect(failures).toBe(6);
  expect(seen.indexOf('thing.changed/a/1')).toBeGreaterThan(4);
  expect(await inboxSummary(db.pool, group)).toMatchObject({ parkedFacts: 0 });
}, 30_000);

test('a commit that fails takes the effect, the sequences and the position back together', async () => {
  await db.pool.query(`
    create sequence commits;
    create function refuse() returns trigger language plpgsql as $$ begin
      if nextval('commits') <= 3 then raise exception 'not now' using errcode = '40001'; end if;
      return null;
    end $$;
    create constraint trigger refuse after insert on effects deferrable initially deferred
      for each row execute function refuse();`);
  const inbox = consuming();
  await producer.send(upTo(3).map((n) => factRecord(topic, 'a', n)));
  await readTo(3);
  await inbox.stop();
  expect(await effects()).toEqual(ids('a', [1, 2, 3]));
});

test('goes on by itself after its connections to Postgres were cut', async () => {
  const inbox = consuming(insertEffects, { maxFacts: 7 });
  for (let n = 1; n <= 40; n++) {
    await producer.send(['a', 'b', 'c'].map((key) => factRecord(topic, key, n)));
    if (n % 10 === 0) {
      await db.pool
        .query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()`)
        .catch(() => {});
    }
  }
  await readTo(120);
  await inbox.stop();
  const seen = await effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual(Array(3).fill(upTo(40)));
  expect(await inboxSummary(db.pool, group)).toMatchObject({ parkedFacts: 0 });
}, 60_000);

test('members that come and go share the work, and effects are had once', async () => {
  const first = consuming(insertEffects, { maxFacts: 20 });
  const feed = (async () => {
    for (let n = 1; n <= 150; n++) await producer.send(upTo(6).map((k) => factRecord(topic, `key-${k}`, n)));
  })();
  await readTo(60);
  const second = consuming(insertEffects, { maxFacts: 20 });
  await readTo(300);
  await first.stop();
  const third = consuming(insertEffects, { maxFacts: 20 });
  await feed;
  await readTo(900);
  await Promise.all([second.stop(), third.stop()]);
  const seen = await effects();
  expect(upTo(6).map((k) => effectsOf(seen, `key-${k}`))).toEqual(Array(6).fill(upTo(150)));
}, 60_000);

test('stopping finishes the transaction in hand', async () => {
  let begun: (() => void) | undefined;
  const isBegun = new Promise<void>((resolve) => (begun = resolve));
  const slow: Handle = async (tx, facts) => {
    begun?.();
    await tx.query('select pg_sleep(0.5)');
    await insertEffects(tx, facts);
  };
  const inbox = consuming(slow);
  await producer.send(upTo(3).map((n) => factRecord(topic, 'a', n)));
  await isBegun;
  await inbox.stop();
  expect(await effects()).toEqual(ids('a', [1, 2, 3]));
});
