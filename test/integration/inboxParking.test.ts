import { randomBytes } from 'node:crypto';
import { readerOf } from '../../contracts/knownFact';
import { inboxSummary, type Handle } from '../../platform/inbox';
import type { OutgoingRecord } from '../../platform/kafka';
import { createLogger } from '../../platform/log';
import { asyncApiDocument } from '../../tools/generate/asyncapi';
import { projectRoot } from '../../tools/stack/places';
import { deleteTopics, factRecord, readAll, testTopic, unique, upTo } from '../support/backbone';
import { effectsOf, ids, insertEffects, useInbox } from '../support/inboxBench';
import { keyIn } from '../support/kafkaBench';

const bench = useInbox();

interface DeadLetterDocument {
  readonly components: {
    readonly messages: Record<'dead-letter', { readonly headers: { readonly properties: object } }>;
  };
}

test('a poisonous fact goes to the dead-letter topic, its key waits behind it in order, other keys go on', async () => {
  const poison: Handle = async (tx, facts) => {
    await insertEffects(tx, facts);
    if (facts.some(({ key, sequence }) => key === 'b' && sequence === 2))
      throw new RangeError('cannot take this');
  };
  const inbox = bench.consume(poison);
  const facts = upTo(4).flatMap((n) =>
    ['a', 'b', 'c', 'd'].map((key) => factRecord(bench.topic, key, n, { n })),
  );
  await bench.producer.send(facts);
  await bench.readTo(16);
  await bench.producer.send([factRecord(bench.topic, 'b', 5), factRecord(bench.topic, 'a', 5)]);
  await bench.readTo(18);
  await inbox.stop();

  const seen = await bench.effects();
  expect(effectsOf(seen, 'b')).toEqual([1]);
  expect(['a', 'c', 'd'].map((key) => effectsOf(seen, key))).toEqual([upTo(5), upTo(4), upTo(4)]);
  expect(await bench.parked()).toEqual([
    { key: 'b', factId: 'thing.changed/b/2', head: true, reason: 'cannot take this' },
    ...ids('b', [3, 4, 5]).map((factId) => ({ key: 'b', factId, head: false, reason: null })),
  ]);
  const [letter, ...others] = await readAll(bench.kafka, `${bench.group}.dead-letter`);
  expect(others).toEqual([]);
  const headers = Object.fromEntries(
    Object.entries(letter!.headers).map(([name, value]) => [name, String(value)]),
  );
  expect([String(letter!.key), String(letter!.value)]).toEqual(['b', '{"n":2}']);
  expect(headers).toMatchObject({
    ce_id: 'thing.changed/b/2',
    dlq_reason: 'cannot take this',
    dlq_attempts: '1',
    dlq_group: bench.group,
    dlq_topic: bench.topic,
  });
  expect(headers['dlq_stack']).toContain('RangeError');
  const { components } = asyncApiDocument(projectRoot()) as unknown as DeadLetterDocument;
  expect(Object.keys(headers).filter((name) => name.startsWith('dlq_'))).toEqual(
    Object.keys(components.messages['dead-letter'].headers.properties),
  );
  const original = (await readAll(bench.kafka, bench.topic)).find(
    (r) => String(r.headers['ce_id']) === 'thing.changed/b/2',
  )!;
  expect([headers['dlq_partition'], headers['dlq_offset']]).toEqual([
    `${original.partition}`,
    `${original.offset}`,
  ]);
});

test('a record that the dead-letter topic refuses keeps no other out of it', async () => {
  const deadLetterTopic = await testTopic(bench.kafka, 1, unique('letters'), {
    'max.message.bytes': '50000',
  });
  const keys = [0, 1, 2].map((n) => keyIn(0, n));
  await bench.producer.send(
    keys.map((key, n) => factRecord(bench.topic, key, 1, `no JSON${' '.repeat(n === 1 ? 100_000 : 0)}`)),
  );
  const inbox = bench.consume(insertEffects, { deadLetterTopic });
  await bench.readTo(3);
  await inbox.stop();
  expect((await bench.parked()).map(({ key, head }) => [key, head])).toEqual(keys.map((key) => [key, true]));
  const letters = await readAll(bench.kafka, deadLetterTopic);
  expect(new Set(letters.map(({ key }) => String(key)))).toEqual(new Set([keys[0], keys[2]]));
  await deleteTopics(bench.kafka, [deadLetterTopic]);
});

test('what is no fact is put aside with its bytes, and the partition goes on', async () => {
  const fact = factRecord(bench.topic, 'x', 1);
  const { ce_type: _, ...withoutType } = fact.headers;
  const bad: OutgoingRecord[] = [
    { ...fact, key: 'tombstone', value: null },
    { ...fact, key: 'not-json', value: '{"half":' },
    { ...fact, key: 'not-utf8', value: Buffer.from([0x22, 0xc3, 0x28, 0x22]) },
    { ...fact, key: 'no-type', headers: withoutType },
    { ...fact, key: 'no-sequence', headers: { ...fact.headers, ce_sequence: '0' } },
    { ...fact, key: null },
    { ...fact, key: Buffer.from([0xff, 0x00]) },
    { ...fact, key: 'no-headers', headers: {} },
    { ...fact, key: 'large', value: `"${'x'.repeat(2_000_000)}"` },
  ];
  await bench.producer.send(bad);
  await bench.producer.send(['a', 'b', 'c', 'tombstone'].map((key) => factRecord(bench.topic, key, 1)));
  // Neither known here, nor an error: it is left out by choice, and what follows it is not.
  const unknown = { ...factRecord(bench.topic, 'b', 2).headers, ce_type: 'thing.unheard_of' };
  await bench.producer.send([
    { ...factRecord(bench.topic, 'b', 2), headers: unknown },
    factRecord(bench.topic, 'b', 3, { breaks: 'the schema' }),
    factRecord(bench.topic, 'c', 2),
  ]);
  const counted: Record<string, number> = {};
  const inbox = bench.consume(
    async (tx, facts) => {
      if (facts.some(({ data }) => 'breaks' in (data as object)))
        throw Object.assign(new Error('no such field'), { code: 'fact_invalid', retriable: false });
      await insertEffects(tx, facts);
    },
    {
      skip: ({ type }) => (type === 'thing.changed' ? null : 'unknown_type'),
      onApplied({ skipped }) {
        for (const [reason, n] of Object.entries(skipped)) counted[reason] = (counted[reason] ?? 0) + n;
      },
    },
  );
  await bench.readTo(16);
  await inbox.stop();
  expect((await bench.effects()).sort()).toEqual([...ids('a', [1]), ...ids('b', [1]), ...ids('c', [1, 2])]);
  expect(counted).toEqual({ unknown_type: 1 });
  const letters = await readAll(bench.kafka, `${bench.group}.dead-letter`);
  expect(letters.map((r) => String(r.headers['dlq_reason'])).sort()).toEqual([
    'fact_invalid: no such field',
    'malformed_fact: ce_sequence is not 1, 2, 3, …',
    'malformed_fact: header ce_specversion is missing',
    'malformed_fact: header ce_type is missing',
    'malformed_fact: the key is missing, too long or not UTF-8',
    'malformed_fact: the key is missing, too long or not UTF-8',
    'malformed_fact: the value has 2000002 bytes, 1048576 at most',
    'malformed_fact: the value is missing',
    'malformed_fact: the value is not JSON',
    'malformed_fact: the value is not JSON',
  ]);
  expect(letters.map(({ value }) => value)).toContainEqual(Buffer.from([0x22, 0xc3, 0x28, 0x22]));
  expect(await inboxSummary(bench.db.pool, bench.group)).toMatchObject({ applied: 4, parkedFacts: 11 });
});

test('a fact behind a gap is not applied', async () => {
  const inbox = bench.consume();
  await bench.producer.send([1, 2, 4, 5, 3].map((n) => factRecord(bench.topic, 'a', n)));
  await bench.producer.send([factRecord(bench.topic, 'b', 2)]);
  await bench.readTo(6);
  await inbox.stop();
  expect(await bench.effects()).toEqual(ids('a', [1, 2]));
  const reasons = (await bench.parked()).map((p) => p.reason);
  expect(reasons.filter((reason) => reason !== null).sort()).toEqual([
    'gap: sequence 2 after 0',
    'gap: sequence 4 after 2',
  ]);
  expect(await inboxSummary(bench.db.pool, bench.group)).toMatchObject({ parkedKeys: 2, parkedFacts: 4 });
});

test('what can hardly be put aside is, and holds up nobody', async () => {
  const { headers, key, value } = factRecord(bench.topic, 'a', 2);
  const repeated = { ...headers, 'x-note': ['one', null] } as Record<string, string | string[]>;
  const other = bench.kafka.producer();
  await other.connect();
  await other.send({
    topic: bench.topic,
    messages: [
      { key, value, headers: repeated },
      { key: randomBytes(8_000).toString('hex'), value, headers },
      { key: 'typeless', value, headers: { ...headers, ce_type: null } as unknown as Record<string, string> },
    ],
  });
  await other.disconnect();
  const inbox = bench.consume();
  await bench.producer.send(['a', 'b', 'c', 'd', 'e'].map((one) => factRecord(bench.topic, one, 1)));
  await bench.readTo(8);
  await inbox.stop();
  expect((await bench.effects()).sort()).toEqual(['b', 'c', 'd', 'e'].flatMap((one) => ids(one, [1])));
  const reasons = (await bench.parked()).map(({ reason }) => reason);
  expect(reasons.sort()).toEqual([
    'gap: sequence 2 after 0',
    'malformed_fact: header ce_type is missing',
    'malformed_fact: the key is missing, too long or not UTF-8',
    null,
  ]);
  expect(await readAll(bench.kafka, `${bench.group}.dead-letter`)).toHaveLength(3);
});

test('what is logged of a fact that fails has nothing personal of it', async () => {
  const name = 'Ada Lovelace';
  await bench.db.pool.query(
    `create table people (name text check (name not like 'Ada%'), known text unique);
     insert into people values ('Bob', '${name}')`,
  );
  const read = readerOf('notifications');
  const ways: Record<string, Handle> = {
    number: (tx) => tx.query('select $1::text::integer', [name]).then(() => {}),
    check: (tx) => tx.query('insert into people (name) values ($1)', [name]).then(() => {}),
    known: (tx) => tx.query('insert into people (known) values ($1)', [name]).then(() => {}),
    schema: (_tx, facts) => Promise.resolve(facts.forEach(read)),
  };
  const lines: string[] = [];
  const log = createLogger('test', 'trace', { write: (line: string) => void lines.push(line) });
  const failing: Handle = (tx, facts) => ways[facts[0]!.key]!(tx, facts);
  const inbox = bench.consume(failing, { log });
  const fact = (key: string, value: unknown): OutgoingRecord => {
    const { headers, ...record } = factRecord(bench.topic, key, 1, value);
    return { ...record, headers: { ...headers, ce_type: 'ride.requested' } };
  };
  await bench.producer.send([
    ...Object.keys(ways).map((key) => fact(key, { riderId: name, pickup: { lat: name } })),
    fact('json', `{"name": "${name}", half`),
  ]);
  await bench.readTo(5);
  await inbox.stop();
  const dead = lines
    .map((line) => JSON.parse(line) as { msg: string; key: string; offset: number; reason: string })
    .filter(({ msg }) => msg === 'fact dead-lettered, key parked');
  expect(dead.map(({ key }) => key).sort()).toEqual([...Object.keys(ways), 'json'].sort());
  for (const { offset, reason } of dead)
    expect([offset, reason]).toEqual([expect.any(Number), expect.any(String)]);
  expect(lines.filter((line) => line.includes('Ada'))).toEqual([]);
}, 40_000);
