import type { Handle } from '../../platform/inbox';
import { Settler } from '../../platform/inbox/settle';
import { Slots } from '../../platform/inbox/slots';
import { withAdmin, type RawRecord } from '../../platform/kafka';
import { eventually, factRecord, quiet, readAll, upTo } from '../support/backbone';
import { effectsOf, ids, insertEffects, useInbox } from '../support/inboxBench';
import { keyIn } from '../support/kafkaBench';

const bench = useInbox();

const mayPass = (words: string) => Object.assign(new Error(words), { code: '40001' });

test('a fact that fails for ever of what may pass is a dead letter after its tries; the database goes on beside it', async () => {
  let tries = 0;
  const failed: string[] = [];
  const stubborn: Handle = async (tx, facts) => {
    await insertEffects(tx, facts);
    if (facts.some(({ id }) => id === 'thing.changed/a/2')) {
      if (facts.length === 1) tries += 1;
      throw mayPass('so it says');
    }
  };
  const inbox = bench.consume(stubborn, {
    maxTries: 4,
    observer: {
      ...{ assigned: () => {}, restarted: () => {}, settled: () => {}, left: () => {} },
      during: (_batch, work) => work(),
      failed: (_batch, code) => void failed.push(code),
    },
  });
  await bench.producer.send(
    upTo(4).flatMap((n) => ['a', 'b', 'c'].map((key) => factRecord(bench.topic, key, n))),
  );
  await bench.readTo(12);
  await inbox.stop();
  const seen = await bench.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual([[1], upTo(4), upTo(4)]);
  expect(await bench.parked()).toEqual([
    { key: 'a', factId: 'thing.changed/a/2', head: true, reason: '40001: so it says' },
    ...ids('a', [3, 4]).map((factId) => ({ key: 'a', factId, head: false, reason: null })),
  ]);
  const [letter] = await readAll(bench.kafka, `${bench.group}.dead-letter`);
  expect([tries, String(letter!.headers['dlq_attempts'])]).toEqual([4, '4']);
  expect(failed.length).toBeGreaterThanOrEqual(3);
  expect(new Set(failed)).toEqual(new Set(['40001']));
}, 40_000);

test('a database that does not answer is waited for, however often it is tried', async () => {
  let isAway = true;
  let tries = 0;
  const inbox = bench.consume(
    async (tx, facts) => {
      tries += 1;
      // The connection goes in the middle of the work: nothing that is said of the fact.
      if (isAway) await tx.query('select pg_terminate_backend(pg_backend_pid())');
      await insertEffects(tx, facts);
    },
    { maxTries: 2 },
  );
  await bench.producer.send(upTo(3).map((n) => factRecord(bench.topic, 'a', n)));
  await eventually(
    () => tries,
    (n) => n > 6,
  );
  isAway = false;
  await bench.readTo(3);
  await inbox.stop();
  expect(await bench.effects()).toEqual(ids('a', [1, 2, 3]));
  expect(await bench.parked()).toEqual([]);
}, 40_000);

test('what is refused at the commit alone is found and parked, like what is refused at once', async () => {
  await bench.db.pool.query(`
    create function refuse_b() returns trigger language plpgsql as $$ begin
      if new.fact_id = 'thing.changed/b/1' then raise exception 'not this one' using errcode = '23514'; end if;
      return null;
    end $$;
    create constraint trigger refuse_b after insert on effects deferrable initially deferred
      for each row execute function refuse_b();`);
  const inbox = bench.consume();
  await bench.producer.send(
    [1, 2].flatMap((n) => ['a', 'b', 'c', 'd'].map((key) => factRecord(bench.topic, key, n))),
  );
  await bench.readTo(8);
  await inbox.stop();
  const seen = await bench.effects();
  expect(['a', 'b', 'c', 'd'].map((key) => effectsOf(seen, key))).toEqual([[1, 2], [], [1, 2], [1, 2]]);
  expect((await bench.parked()).map(({ factId, reason }) => [factId, reason])).toEqual([
    ['thing.changed/b/1', '23514: not this one'],
    ['thing.changed/b/2', null],
  ]);
});

test('a partition that is held for longer than a session holds up no other, is read no further, and loses nothing', async () => {
  let begunAt = 0;
  let calls = 0;
  let joined = 0;
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const slow: Handle = async (tx, facts) => {
    await insertEffects(tx, facts);
    if (!facts.some(({ partition }) => partition === 0)) return;
    begunAt ||= Date.now();
    calls += 1;
    await held;
  };
  const inbox = bench.consume(slow, {
    observer: {
      ...{ restarted: () => {}, settled: () => {}, failed: () => {}, left: () => {} },
      assigned: () => void (joined += 1),
      during: (_batch, work) => work(),
    },
  });
  // Several batches of the held partition: the later ones come once it has been read as far as it may be.
  for (let n = 1; n <= 20; n++) {
    await bench.producer.send([keyIn(0), keyIn(1), keyIn(2)].map((key) => factRecord(bench.topic, key, n)));
    await bench.readTo(2 * n);
  }
  await eventually(
    () => Date.now() - begunAt,
    (ms) => ms > 11_000,
  );
  letGo();
  await bench.readTo(60);
  await inbox.stop();
  const seen = await bench.effects();
  expect([0, 1, 2].map((p) => effectsOf(seen, keyIn(p)))).toEqual(Array(3).fill(upTo(20)));
  // One in work and one that waits, and what came of the rest at once.
  expect(calls).toBeLessThan(8);
  expect(joined).toBe(1);
}, 60_000);

test('a database from before, under a group whose offsets are ahead of it, is brought up to date', async () => {
  const read = bench.consume();
  await bench.producer.send(
    upTo(10).flatMap((n) => ['a', 'b', 'c'].map((key) => factRecord(bench.topic, key, n))),
  );
  await bench.readTo(30);
  await read.stop();
  // As a backup from before the first fact would leave it.
  await bench.db.pool.query('truncate inbox_positions, inbox_sequences, effects');
  const again = bench.consume();
  await bench.readTo(30);
  await bench.producer.send(['a', 'b', 'c'].map((key) => factRecord(bench.topic, key, 11)));
  await bench.readTo(33);
  await again.stop();
  const seen = await bench.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual(Array(3).fill(upTo(11)));
  expect(await bench.parked()).toEqual([]);
}, 60_000);

test('a batch is held against the stored position by what Kafka keeps, not by what the batch knew', async () => {
  const { kafka, topic, group } = bench;
  const key = keyIn(0);
  await bench.producer.send(upTo(10).map((n) => factRecord(topic, key, n)));
  const records = await readAll(kafka, topic);
  const settler = new Settler(
    {
      ...{ group, topics: [topic], pool: bench.db.subject, kafka, handle: insertEffects },
      ...{ signal: new AbortController().signal, log: quiet, deadLetters: null },
    },
    new Slots(1),
    3,
  );
  const readFrom: number[] = [];
  /** As of a fetch from there; whether what comes behind it may follow. */
  const settle = (part: RawRecord[], fetchedFrom: number, endOffset = 10): Promise<boolean> =>
    settler.settle(
      {
        ...{ topic, partition: 0, records: part, fetchedFrom, endOffset },
        ...{ isLive: () => true, commit: () => Promise.resolve(), skipTo: () => {}, holdFor: () => {} },
        readFrom: (offset) => void readFrom.push(offset),
      },
      part,
    );
  expect(await settle(records.slice(0, 3), 0)).toBe(true);
  // Told to read from 3; joins again before that comes, and Kafka's own offset is ahead once more.
  expect(await settle(records.slice(5), 5)).toBe(false);
  expect(await settle(records.slice(5), 5)).toBe(false);
  expect(readFrom).toEqual([3, 3]);
  expect(await settle(records.slice(3, 7), 3)).toBe(true);
  expect(await bench.effects()).toEqual(ids(key, upTo(7)));

  // Nothing is there any more between position and batch.
  await withAdmin(kafka, async (admin) => {
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '9' }] });
  });
  expect(await settle(records.slice(9), 9)).toBe(true);
  expect((await bench.parked()).map(({ reason }) => reason)).toEqual(['gap: sequence 10 after 7']);

  // A member that slept while another went on: what it knew of the log's end is old.
  const position = async () =>
    (await bench.db.pool.query<{ next: number }>('select next_offset as next from inbox_positions')).rows[0]!;
  expect(await settle(records.slice(0, 2), 0, 2)).toBe(true);
  expect(await position()).toEqual({ next: 10 });
  // A topic that was made anew ends before the position.
  await bench.db.pool.query('update inbox_positions set next_offset = 1000');
  expect(await settle(records.slice(8, 9), 8)).toBe(true);
  expect(await position()).toEqual({ next: 9 });
});
