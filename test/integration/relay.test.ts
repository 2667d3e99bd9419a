import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DeadLetterDeeds } from '../../platform/deadLetters';
import { createFactProducer, waitForCoordinator, withAdmin } from '../../platform/kafka';
import { withTransaction } from '../../platform/postgres';
import { runRelay } from '../../platform/relay';
import { createRelayDeadLetters } from '../../platform/relay/deadLetters';
import { wait } from '../../platform/wait';
import {
  commitNext,
  deleteTopics,
  eventually,
  firstOccurrences,
  quiet,
  readAll,
  record,
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
let db: TestDatabase;
let topic: string;

beforeAll(() => waitForCoordinator(kafka), 60_000);
beforeEach(async () => {
  db = await testDatabase();
  topics.push((topic = await testTopic(kafka, 3, unique('relay'))));
});
afterEach(async () => {
  await stopAll();
  await db.drop();
});
afterAll(() => deleteTopics(kafka, topics));

const relaying = (onLanes?: (lanes: readonly number[] | null) => void) =>
  running((signal) =>
    runRelay({
      ...{ databaseUrl: db.url, database: 'test', pollMs: 10, signal, log: quiet, onLanes },
      createProducer: () => createFactProducer(kafka, { log: quiet }),
    }),
  );

/** Facts sent or parked, as the relay has stored it. */
async function settled(): Promise<number> {
  const { rows } = await db.pool.query<{ n: number }>(
    `select (select sum(facts) from relay_lanes)::bigint + (select count(*) from parked_facts) as n`,
  );
  return rows[0]!.n;
}
const facts = async (): Promise<number> =>
  (await db.pool.query<{ n: number }>('select count(*) as n from outbox')).rows[0]!.n;
const allSettled = () =>
  eventually(
    async () => (await settled()) - (await facts()),
    (missing) => missing >= 0,
    40_000,
  );

test('a fact that is committed after one with a higher id is not lost', async () => {
  const relay = relaying();
  const early = await db.pool.connect();
  await early.query('begin');
  await commitNext(early, topic, 'slow');
  await record(db.pool, topic, 'quick');
  await eventually(settled, (n) => n === 1);
  await early.query('commit');
  early.release();
  await eventually(settled, (n) => n === 2);
  await relay.stop();
  expect((await readAll(kafka, topic)).map(({ key }) => String(key)).sort()).toEqual(['quick', 'slow']);
});

test('a lower transaction id that commits later does not swap the facts of a key', async () => {
  const low = await db.pool.connect();
  await low.query('begin');
  await low.query('select pg_current_xact_id()');
  expect(await record(db.pool, topic, 'key')).toBe(1);
  expect(await commitNext(low, topic, 'key')).toBe(2);
  await low.query('commit');
  low.release();
  const relay = relaying();
  await allSettled();
  await relay.stop();
  expect(firstOccurrences(await readAll(kafka, topic)).byKey.get('key')).toEqual([1, 2]);
});

test('many writers, rollbacks and transactions that stay open: all that was committed, in order for each key', async () => {
  const relay = relaying();
  const keys = upTo(12).map((n) => `key-${n}`);
  const committed = new Map<string, number>();
  const rollback = new Error('changed my mind');
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const key = keys[(writer * 7 + i * 5) % keys.length]!;
      await withTransaction(db.pool, async (tx) => {
        const sequence = await commitNext(tx, topic, key);
        if (i % 3 === 0) await wait(Math.random() * 15);
        if (i % 11 === 10) throw rollback;
        return sequence;
      }).then(
        (sequence) => committed.set(key, Math.max(sequence, committed.get(key) ?? 0)),
        (error: unknown) => {
          if (error !== rollback) throw error;
        },
      );
    }
  };
  const stayOpen = (n: number) =>
    withTransaction(db.pool, async (tx) => {
      committed.set(`open-${n}`, await commitNext(tx, topic, `open-${n}`));
      await wait(700 + 300 * n);
    });
  await Promise.all([...upTo(10).map(write), ...upTo(3).map(stayOpen)]);
  await allSettled();
  await relay.stop();

  const { byKey, repeats } = firstOccurrences(await readAll(kafka, topic));
  expect(Object.fromEntries(byKey)).toEqual(Object.fromEntries([...committed].map(([k, n]) => [k, upTo(n)])));
  expect(repeats).toBe(0);
}, 60_000);

/** A relay in a process of its own that dies when so many sends were acknowledged; 0 for one that goes on. */
const mortal = (sends: number) =>
  fork(join(__dirname, '../support/mortalRelay.ts'), {
    execArgv: ['-r', join(__dirname, '../support/typescript.cjs')],
    env: { ...process.env, RELAY_DATABASE_URL: db.url, MORTAL_SENDS: String(sends) },
  });

test('killed between the send and the mark, it repeats and loses nothing', async () => {
  const keys = upTo(4).map((n) => `key-${n}`);
  for (let i = 0; i < 160; i++) await record(db.pool, topic, keys[i % 4]!);
  for (const sends of [1, 2]) {
    const [, signal] = (await once(mortal(sends), 'exit')) as [number, string];
    expect(signal).toBe('SIGKILL');
  }
  const relay = relaying();
  await allSettled();
  await relay.stop();
  const { byKey, repeats } = firstOccurrences(await readAll(kafka, topic));
  expect([...byKey.values()].map((s) => s.join())).toEqual(Array(4).fill(upTo(40).join()));
  expect(repeats).toBeGreaterThan(0);
}, 60_000);

describe('relays of one database', () => {
  const lanesOf = async (): Promise<string> => {
    const { rows } = await db.pool.query<{ lanes: number }>(
      `select count(*) as lanes from relay_lanes where leased_until > clock_timestamp() group by owner order by 1`,
    );
    return rows.map(({ lanes }) => lanes).join();
  };
  const shared = (lanes: string) => eventually(lanesOf, (seen) => seen === lanes);

  test('share the lanes; those of one that is killed are taken within 5 s', async () => {
    const relay = relaying();
    await shared('8');
    const other = mortal(0);
    await shared('4,4');
    const keys = upTo(40).map((n) => `key-${n}`);
    for (const key of keys) await record(db.pool, topic, key);
    await allSettled();
    other.kill('SIGKILL');
    const killedAt = Date.now();
    for (const key of keys) await record(db.pool, topic, key);
    await allSettled();
    expect(Date.now() - killedAt).toBeLessThan(5_000);
    await relay.stop();
    const { byKey } = firstOccurrences(await readAll(kafka, topic));
    expect([...byKey.values()].map((s) => s.join())).toEqual(keys.map(() => '1,2'));
  }, 60_000);

  test('one that was frozen for longer than its lease repeats at most what it had in hand', async () => {
    const frozen = mortal(0);
    await shared('8');
    const keys = upTo(20).map((n) => `key-${n}`);
    const writing = (async () => {
      for (let i = 0; i < 1_000; i++) await record(db.pool, topic, keys[i % 20]!);
    })();
    await eventually(settled, (n) => n > 20);
    frozen.kill('SIGSTOP');
    const relay = relaying();
    await shared('8');
    await writing;
    await allSettled();
    frozen.kill('SIGCONT');
    await shared('4,4');
    for (const key of keys) await record(db.pool, topic, key);
    await allSettled();
    await relay.stop();
    frozen.kill('SIGKILL');
    const { byKey } = firstOccurrences(await readAll(kafka, topic));
    expect([...byKey.values()].map((s) => s.join())).toEqual(keys.map(() => upTo(51).join()));
  }, 60_000);
});

test('goes on by itself after every connection to Postgres was cut', async () => {
  const relay = relaying();
  for (let i = 0; i < 5; i++) {
    for (let n = 0; n < 20; n++) await record(db.pool, topic, `key-${n % 3}`);
    await wait(Math.random() * 30);
    await db.cut();
  }
  await allSettled();
  await relay.stop();
  const { byKey } = firstOccurrences(await readAll(kafka, topic));
  expect([...byKey.values()].every((s) => s.join() === upTo(s.length).join())).toBe(true);
  expect([...byKey.values()].flat()).toHaveLength(100);
}, 60_000);

test('a fact that Kafka refuses alone parks its key: later ones wait, other keys go on', async () => {
  await record(db.pool, `${topic}.nowhere`, 'astray');
  await record(db.pool, topic, 'large');
  await record(db.pool, topic, 'other');
  await record(db.pool, topic, 'large', { filling: 'x'.repeat(2_000_000) });
  await record(db.pool, topic, 'other');
  await record(db.pool, topic, 'large');
  const relay = relaying();
  await allSettled();
  await record(db.pool, topic, 'large');
  await record(db.pool, topic, 'other');
  await allSettled();
  await relay.stop();

  const { byKey } = firstOccurrences(await readAll(kafka, topic));
  expect(Object.fromEntries(byKey)).toEqual({ large: [1], other: [1, 2, 3] });
  const { rows: parked } = await db.pool.query('select topic, key, reason from parked_keys order by key');
  expect(parked).toEqual([
    { topic: `${topic}.nowhere`, key: 'astray', reason: 'UNKNOWN_TOPIC_OR_PARTITION' },
    { topic, key: 'large', reason: 'MESSAGE_TOO_LARGE' },
  ]);
  const { rows: waiting } = await db.pool.query<{ sequence: string }>(
    `select headers ->> 'ce_sequence' as sequence from parked_facts where key = 'large' order by place`,
  );
  expect(waiting.map(({ sequence }) => sequence)).toEqual(['2', '3', '4']);
});

test('what was read ahead when a key is parked waits behind it, and is sent in order once it is released', async () => {
  const { rows: neighbours } = await db.pool.query<{ key: string }>(
    `select key from (select 'key-' || n as key from generate_series(1, 100) as n) as keys
     where outbox_lane(key) = outbox_lane('large') limit 1`,
  );
  const neighbour = neighbours[0]!.key;
  // More than two pages of one lane.
  const large = [1, 2_500, 5_500];
  await db.pool.query(
    `insert into outbox (topic, key, headers, value)
     select $1, case when n = any ($2) then 'large' else $3 end,
       json_build_object('ce_sequence', (case when n = any ($2) then array_position($2, n)
         else n - (select count(*) from unnest($2) as at where at < n) end)::text),
       case when n = $2[1] then $4 else '{}' end
     from generate_series(1, 6000) as n order by n`,
    [topic, large, neighbour, 'x'.repeat(2_000_000)],
  );
  const relay = relaying();
  await allSettled();
  const parked = async () =>
    (
      await db.pool.query<{ key: string }>(
        'select key from parked_keys union all select key from parked_facts',
      )
    ).rows;
  expect(await parked()).toHaveLength(4);
  const office = createRelayDeadLetters({ databases: { test: db.pool }, topicPrefix: '', log: quiet });
  const order = { limit: 10, dryRun: false };
  const [letter] = (await office.list({ limit: 10, key: 'large' })).deadLetters;
  expect(letter).toMatchObject({ consumer: 'relay', topic, key: 'large', sequence: 1, waiting: 2 });
  expect(letter).toMatchObject({ reason: 'MESSAGE_TOO_LARGE', id: `test:${topic}:${letter?.offset}` });
  expect((await office.show(letter!.id))?.behind).toHaveLength(2);

  const outcomes = async (deeds: Promise<DeadLetterDeeds>) =>
    (await deeds).done.map(({ outcome }) => outcome);
  expect(await outcomes(office.discard({ ...order, by: 'op-1', because: 'large' }))).toEqual(['failed']);
  expect(await outcomes(office.replay({ ...order, dryRun: true }))).toEqual(['would_be']);
  // Refused again: as it was.
  expect(await outcomes(office.replay({ ...order, ids: [letter!.id] }))).toEqual(['failed']);
  expect(await parked()).toHaveLength(4);

  await withAdmin(kafka, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: '3000000' }] }],
    }),
  );
  expect(await office.replay(order)).toMatchObject({ done: [{ outcome: 'replayed', applied: 3 }] });
  expect(await parked()).toHaveLength(0);
  await record(db.pool, topic, 'afterwards');
  await eventually(settled, (n) => n === 6_001);
  await relay.stop();
  const { byKey } = firstOccurrences(await readAll(kafka, topic));
  expect(byKey.get('large')).toEqual([1, 2, 3]);
  expect(byKey.get(neighbour)).toEqual(upTo(5_997));
});

test('a backlog is read through the index and in pages', async () => {
  await db.pool.query(
    `insert into outbox (topic, key, headers, value)
     select $1, 'key-' || n % 50, json_build_object('ce_sequence', ((n / 50) + 1)::text), '{}'
     from generate_series(0, 9999) n`,
    [topic],
  );
  const relay = relaying();
  await allSettled();
  await relay.stop();
  const { byKey, repeats } = firstOccurrences(await readAll(kafka, topic));
  expect([byKey.size, repeats]).toEqual([50, 0]);
  expect([...byKey.values()].every((s) => s.join() === upTo(200).join())).toBe(true);
});
