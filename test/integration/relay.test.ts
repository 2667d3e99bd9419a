import { once } from 'node:events';
import { createFactProducer } from '../../platform/kafka';
import { withTransaction } from '../../platform/postgres';
import { wait } from '../../platform/wait';
import { commitNext, eventually, firstOccurrences, quiet, readAll, record, upTo } from '../support/backbone';
import { useRelay } from '../support/relayBench';

const bench = useRelay();

test('a fact that is committed after one with a higher id is not lost', async () => {
  const relay = bench.relaying();
  const early = await bench.db.pool.connect();
  await early.query('begin');
  await commitNext(early, bench.topic, 'slow');
  await record(bench.db.pool, bench.topic, 'quick');
  await eventually(bench.settled, (n) => n === 1);
  await early.query('commit');
  early.release();
  await eventually(bench.settled, (n) => n === 2);
  await relay.stop();
  expect((await readAll(bench.kafka, bench.topic)).map(({ key }) => String(key)).sort()).toEqual([
    'quick',
    'slow',
  ]);
});

test('a lower transaction id that commits later does not swap the facts of a key', async () => {
  const low = await bench.db.pool.connect();
  await low.query('begin');
  await low.query('select pg_current_xact_id()');
  expect(await record(bench.db.pool, bench.topic, 'key')).toBe(1);
  expect(await commitNext(low, bench.topic, 'key')).toBe(2);
  await low.query('commit');
  low.release();
  const relay = bench.relaying();
  await bench.allSettled();
  await relay.stop();
  expect(firstOccurrences(await readAll(bench.kafka, bench.topic)).byKey.get('key')).toEqual([1, 2]);
});

test('a relay that looks by itself once a minute is told of what is committed', async () => {
  const relay = bench.relaying({ pollMs: 60_000 });
  const holds = (what: string): Promise<unknown> =>
    eventually(
      async () => (await bench.db.pool.query(what)).rowCount,
      (n) => n! > 0,
    );
  await holds('select from relay_lanes having min(leased_until) > clock_timestamp()');
  await holds(`select from pg_stat_activity where datname = current_database() and query = 'listen outbox'`);
  for (const n of upTo(3)) {
    await record(bench.db.pool, bench.topic, 'key');
    await eventually(bench.settled, (sent) => sent === n);
  }
  await relay.stop();
});

test('many writers, rollbacks and transactions that stay open: all that was committed, in order for each key', async () => {
  const relay = bench.relaying();
  const keys = upTo(12).map((n) => `key-${n}`);
  const committed = new Map<string, number>();
  const rollback = new Error('changed my mind');
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const key = keys[(writer * 7 + i * 5) % keys.length]!;
      await withTransaction(bench.db.pool, async (tx) => {
        const sequence = await commitNext(tx, bench.topic, key);
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
    withTransaction(bench.db.pool, async (tx) => {
      committed.set(`open-${n}`, await commitNext(tx, bench.topic, `open-${n}`));
      await wait(700 + 300 * n);
    });
  await Promise.all([...upTo(10).map(write), ...upTo(3).map(stayOpen)]);
  await bench.allSettled();
  await relay.stop();

  const { byKey, repeats } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect(Object.fromEntries(byKey)).toEqual(Object.fromEntries([...committed].map(([k, n]) => [k, upTo(n)])));
  expect(repeats).toBe(0);
}, 60_000);

test('killed between the send and the mark, it repeats and loses nothing', async () => {
  const keys = upTo(4).map((n) => `key-${n}`);
  for (let i = 0; i < 160; i++) await record(bench.db.pool, bench.topic, keys[i % 4]!);
  for (const sends of [1, 2]) {
    const [, signal] = (await once(bench.mortal(sends), 'exit')) as [number, string];
    expect(signal).toBe('SIGKILL');
  }
  const relay = bench.relaying();
  await bench.allSettled();
  await relay.stop();
  const { byKey, repeats } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([...byKey.values()].map((s) => s.join())).toEqual(Array(4).fill(upTo(40).join()));
  expect(repeats).toBeGreaterThan(0);
}, 60_000);

test('goes on by itself after every connection to Postgres was cut', async () => {
  const relay = bench.relaying();
  for (let i = 0; i < 5; i++) {
    for (let n = 0; n < 20; n++) await record(bench.db.pool, bench.topic, `key-${n % 3}`);
    await wait(Math.random() * 30);
    await bench.db.cut();
  }
  await bench.allSettled();
  await relay.stop();
  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([...byKey.values()].every((s) => s.join() === upTo(s.length).join())).toBe(true);
  expect([...byKey.values()].flat()).toHaveLength(100);
}, 60_000);

test('a backlog is sent in pages of so many facts, and of so many bytes', async () => {
  const large = 'x'.repeat(200_000);
  await bench.db.pool.query(
    `insert into outbox (topic, key, headers, value)
     select $1, 'key', json_build_object('ce_sequence', n::text), case when n > 4500 then $2 else '{}' end
     from generate_series(1, 4560) n`,
    [bench.topic, JSON.stringify(large)],
  );
  const pages: { facts: number; bytes: number }[] = [];
  const relay = bench.relaying({
    createProducer: () => {
      const producer = createFactProducer(bench.kafka, { log: quiet });
      return {
        ...producer,
        send(records, options) {
          const bytes = records.reduce((sum, { value }) => sum + Buffer.byteLength(value!), 0);
          pages.push({ facts: records.length, bytes });
          return producer.send(records, options);
        },
      };
    },
  });
  await bench.allSettled();
  await relay.stop();
  const page = 20 * (large.length + 2);
  // The third is cut by the first value that begins beyond the bound.
  expect(pages).toEqual([
    { facts: 2_000, bytes: 4_000 },
    { facts: 2_000, bytes: 4_000 },
    { facts: 520, bytes: 1_000 + page },
    { facts: 20, bytes: page },
    { facts: 20, bytes: page },
  ]);
  const { byKey, repeats } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([byKey.get('key'), repeats]).toEqual([upTo(4_560), 0]);
});
