import { inboxSummary, type Handle } from '../../platform/inbox';
import { withAdmin } from '../../platform/kafka';
import { factRecord, upTo } from '../support/backbone';
import { effectsOf, ids, insertEffects, useInbox } from '../support/inboxBench';

const bench = useInbox();

test('facts that are delivered twice have their effect once', async () => {
  const facts = upTo(30).flatMap((n) => ['a', 'b', 'c'].map((key) => factRecord(bench.topic, key, n)));
  const inbox = bench.consume();
  await bench.producer.send(facts);
  await bench.producer.send(facts.slice(40));
  await bench.producer.send([...facts.slice(0, 50), factRecord(bench.topic, 'a', 31)]);
  await bench.readTo(191);
  await inbox.stop();
  const seen = await bench.effects();
  expect(seen).toHaveLength(91);
  expect(effectsOf(seen, 'a')).toEqual(upTo(31));
  expect(await inboxSummary(bench.db.pool, bench.group)).toEqual({
    applied: 91,
    parkedKeys: 0,
    parkedFacts: 0,
  });
});

test('keys that mean something to Postgres are keys like others', async () => {
  const keys = ['null', 'NULL', 'a,b', '{a}', '"a"', 'a\\', ' a ', 'a\nb', 'a:b', 'ä', '{', '}', '""', '-'];
  const facts = keys.flatMap((key) => upTo(2).map((n) => factRecord(bench.topic, key, n)));
  const inbox = bench.consume();
  await bench.producer.send(facts);
  await bench.readTo(2 * keys.length);
  await bench.producer.send([...facts, ...keys.map((key) => factRecord(bench.topic, key, 3))]);
  await bench.readTo(5 * keys.length);
  await inbox.stop();
  const { rows } = await bench.db.pool.query<{ key: string; sequence: number }>(
    'select key, sequence from inbox_sequences',
  );
  expect(new Map(rows.map(({ key, sequence }) => [key, sequence]))).toEqual(
    new Map(keys.map((key) => [key, 3])),
  );
  expect(await bench.effects()).toHaveLength(3 * keys.length);
});

test('an effect that is committed while its offset is not is not had again', async () => {
  const facts = upTo(40).flatMap((n) => ['a', 'b'].map((key) => factRecord(bench.topic, key, n)));
  await bench.producer.send(facts);
  const first = bench.consume();
  await bench.readTo(80);
  await first.stop();
  // Without committed offsets the group starts at the beginning.
  const rewind = () => withAdmin(bench.kafka, (admin) => admin.deleteGroups([bench.group]));
  await rewind();
  const second = bench.consume();
  await bench.producer.send([factRecord(bench.topic, 'a', 41)]);
  await bench.readTo(81);
  await second.stop();
  expect(await bench.effects()).toHaveLength(81);

  // The sequences hold without the positions as well: a relay's repeats come at new offsets.
  await rewind();
  await bench.db.pool.query('delete from inbox_positions');
  const third = bench.consume();
  await bench.readTo(81);
  await third.stop();
  expect(await bench.effects()).toHaveLength(81);
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
  const inbox = bench.consume(flaky);
  await bench.producer.send(
    upTo(5).flatMap((n) => ['a', 'b', 'c', 'd'].map((key) => factRecord(bench.topic, key, n))),
  );
  await bench.readTo(20);
  await inbox.stop();
  const seen = await bench.effects();
  expect(['a', 'b', 'c', 'd'].map((key) => effectsOf(seen, key))).toEqual(Array(4).fill(upTo(5)));
  expect(failures).toBe(6);
  expect(seen.indexOf('thing.changed/a/1')).toBeGreaterThan(4);
  expect(await inboxSummary(bench.db.pool, bench.group)).toMatchObject({ parkedFacts: 0 });
}, 30_000);

test('a commit that fails takes the effect, the sequences and the position back together', async () => {
  await bench.db.pool.query(`
    create sequence commits;
    create function refuse() returns trigger language plpgsql as $$ begin
      if nextval('commits') <= 3 then raise exception 'not now' using errcode = '40001'; end if;
      return null;
    end $$;
    create constraint trigger refuse after insert on effects deferrable initially deferred
      for each row execute function refuse();`);
  const inbox = bench.consume();
  await bench.producer.send(upTo(3).map((n) => factRecord(bench.topic, 'a', n)));
  await bench.readTo(3);
  await inbox.stop();
  expect(await bench.effects()).toEqual(ids('a', [1, 2, 3]));
});

test('goes on by itself after its connections to Postgres were cut', async () => {
  const inbox = bench.consume(insertEffects, { maxFacts: 7 });
  for (let n = 1; n <= 40; n++) {
    await bench.producer.send(['a', 'b', 'c'].map((key) => factRecord(bench.topic, key, n)));
    if (n % 10 === 0) await bench.db.cut();
  }
  await bench.readTo(120);
  await inbox.stop();
  const seen = await bench.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual(Array(3).fill(upTo(40)));
  expect(await inboxSummary(bench.db.pool, bench.group)).toMatchObject({ parkedFacts: 0 });
}, 60_000);

test('members that come and go share the work, and effects are had once', async () => {
  const first = bench.consume(insertEffects, { maxFacts: 20 });
  const feed = (async () => {
    for (let n = 1; n <= 150; n++)
      await bench.producer.send(upTo(6).map((k) => factRecord(bench.topic, `key-${k}`, n)));
  })();
  await bench.readTo(60);
  const second = bench.consume(insertEffects, { maxFacts: 20 });
  await bench.readTo(300);
  await first.stop();
  const third = bench.consume(insertEffects, { maxFacts: 20 });
  await feed;
  await bench.readTo(900);
  await Promise.all([second.stop(), third.stop()]);
  const seen = await bench.effects();
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
  const inbox = bench.consume(slow);
  await bench.producer.send(upTo(3).map((n) => factRecord(bench.topic, 'a', n)));
  await isBegun;
  await inbox.stop();
  expect(await bench.effects()).toEqual(ids('a', [1, 2, 3]));
});
