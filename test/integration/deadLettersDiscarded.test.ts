import type { DeadLetterDeedsView } from '../../contracts/api/deadLetters';
import { factRecord, upTo } from '../support/backbone';
import { fact, outcomes, useDeadLetters } from '../support/deadLetterBench';
import { effectsOf } from '../support/inboxBench';

/** What an operator gives up of what consumers have put aside, and how its key goes on. */

const bench = useDeadLetters();
const { inbox } = bench;

/** A record that says of itself which one of its key it is, and by which id. */
const says = (key: string, n: number, id: string) => {
  const record = factRecord(inbox.topic, key, n);
  return { ...record, headers: { ...record.headers, ce_id: id } };
};

test('what is discarded is gone for good, and kept with who and why; what waits goes on without it', async () => {
  bench.refuse(fact('a', 2));
  const consumer = inbox.consume(bench.picky);
  const tombstone = { ...factRecord(inbox.topic, 'b', 2), value: null };
  await inbox.producer.send([
    ...upTo(4).map((n) => factRecord(inbox.topic, 'a', n)),
    ...[factRecord(inbox.topic, 'b', 1), tombstone, factRecord(inbox.topic, 'b', 3)],
    ...[1, 2, 4, 5].map((n) => factRecord(inbox.topic, 'c', n)),
    { ...factRecord(inbox.topic, 'x', 1), key: null },
  ]);
  await inbox.readTo(12);
  const office = await bench.startOffice();
  const because = ['--because', 'made by mistake'];
  expect(
    outcomes(await office.deed('discard', '--dry-run', ...because)).map(([, outcome]) => outcome),
  ).toEqual(Array(4).fill('would_be'));
  expect(outcomes(await office.deed('discard', ...because)).sort()).toEqual([
    ['', 'discarded', 0, null],
    ['a', 'discarded', 2, null],
    ['b', 'discarded', 1, null],
    // The one behind the gap is given up, and the gap with it.
    ['c', 'discarded', 1, null],
  ]);
  await inbox.producer.send(
    [
      ['a', 5],
      ['b', 4],
      ['c', 6],
    ].map(([key, n]) => factRecord(inbox.topic, key as string, n as number)),
  );
  await inbox.readTo(15);
  await consumer.stop();
  const seen = await inbox.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual([
    [1, 3, 4, 5],
    [1, 3, 4],
    [1, 2, 5, 6],
  ]);
  const { rows } = await inbox.db.pool.query(
    `select fact_id as id, discarded_by as by, discarded_because as because, reason from inbox_discarded order by key`,
  );
  expect(rows).toMatchObject([
    { id: null, by: 'op-1', because: 'made by mistake' },
    { id: fact('a', 2), by: 'op-1', because: 'made by mistake', reason: `fact_invalid: not ${fact('a', 2)}` },
    { id: null, by: 'op-1', because: 'made by mistake', reason: 'malformed_fact: the value is missing' },
    { id: fact('c', 4), by: 'op-1', because: 'made by mistake', reason: 'gap: sequence 4 after 2' },
  ]);

  // Who reads the log again, from its beginning, comes to the same.
  await inbox.db.pool.query('truncate inbox_positions, inbox_sequences, effects');
  const again = inbox.consume();
  await inbox.producer.send([factRecord(inbox.topic, 'a', 6)]);
  await inbox.readTo(16);
  await again.stop();
  const replayed = await inbox.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(replayed, key))).toEqual([
    [1, 3, 4, 5, 6],
    [1, 3, 4],
    [1, 2, 5, 6],
  ]);
  expect(await inbox.parked()).toEqual([]);
}, 60_000);

test('a discard that is repeated gives up nothing else: neither what is dead behind it, nor what is put aside since', async () => {
  bench.refuse(fact('a', 2), fact('a', 3));
  const consumer = inbox.consume(bench.picky);
  const of = (...sequences: number[]) => sequences.map((n) => factRecord(inbox.topic, 'a', n));
  await inbox.producer.send(of(1, 2, 3, 4));
  await inbox.readTo(4);
  await consumer.stop();
  const office = await bench.startOffice();
  const because = 'made by mistake';
  const post = async (body: object): Promise<DeadLetterDeedsView> =>
    (await (await office.post('discard', { because, ...body })).json()) as DeadLetterDeedsView;
  const { done } = await post({ key: 'a', dryRun: true });
  const ids = done.map(({ id }) => id);
  expect(outcomes(await post({ ids }))).toEqual([['a', 'discarded', 0, `fact_invalid: not ${fact('a', 3)}`]]);
  expect(await post({ ids })).toMatchObject({ done: [], left: 0, more: false });
  expect((await office.post('discard', { because, key: 'a' })).status).toBe(400);
  expect((await inbox.parked()).map(({ factId }) => factId)).toEqual([fact('a', 3), fact('a', 4)]);
}, 40_000);

test('a record that is discarded takes no other of its key with it, whatever it says that it is', async () => {
  const consumer = inbox.consume(bench.picky);
  await inbox.producer.send([
    ...[1, 3, 2].map((n) => factRecord(inbox.topic, 'late', n)),
    ...[1, 3, 4, 2].map((n) => factRecord(inbox.topic, 'both', n)),
    ...[factRecord(inbox.topic, 'near', 1), says('near', 3, 'foreign')],
    ...[factRecord(inbox.topic, 'far', 1), says('far', 900, 'foreign'), factRecord(inbox.topic, 'far', 2)],
    ...[factRecord(inbox.topic, 'alone', 1), says('alone', 900, 'foreign')],
    ...[{ ...says('same', 1, 'foreign'), value: 'no JSON' }, factRecord(inbox.topic, 'same', 1)],
  ]);
  await inbox.readTo(16);
  const office = await bench.startOffice();
  const done = outcomes(await office.deed('discard', '--because', 'not ours'));
  expect(done.sort()).toEqual(
    [
      ['alone', 0],
      ['both', 2],
      ['far', 1],
      ['late', 1],
      ['near', 0],
      ['same', 1],
    ].map(([key, applied]) => [key, 'discarded', applied, null]),
  );
  await inbox.producer.send([
    ...[2, 3].map((n) => factRecord(inbox.topic, 'alone', n)),
    ...[factRecord(inbox.topic, 'far', 3), factRecord(inbox.topic, 'same', 2)],
    // What is missing before them is what was given up; the one that came in its place is missed by nobody.
    ...[factRecord(inbox.topic, 'late', 4), factRecord(inbox.topic, 'both', 5)],
    ...[2, 3, 4].map((n) => factRecord(inbox.topic, 'near', n)),
  ]);
  await inbox.readTo(25);
  await consumer.stop();
  const seen = await inbox.effects();
  expect(['late', 'both', 'near', 'far', 'alone', 'same'].map((key) => effectsOf(seen, key))).toEqual([
    ...[[1, 2, 4], [1, 2, 4, 5], upTo(4), upTo(3), upTo(3), [1, 2]],
  ]);
  expect(await inbox.parked()).toEqual([]);
}, 60_000);

test('what somebody else wrote under a wrong sequence stands for no fact: none is passed over for it', async () => {
  const consumer = inbox.consume(bench.picky);
  const of = (key: string, ...sequences: number[]) => sequences.map((n) => factRecord(inbox.topic, key, n));
  const foreign = (key: string, n: number) => ({ ...says(key, n, 'foreign'), value: 'no JSON' });
  const nameless = (key: string) => {
    const { ce_sequence: _, ...headers } = factRecord(inbox.topic, key, 1).headers;
    return { ...factRecord(inbox.topic, key, 1), headers };
  };
  await inbox.producer.send([
    ...[...of('later', 1), foreign('later', 3)],
    ...[...of('next', 1), foreign('next', 2)],
    ...[...of('behind', 1), foreign('behind', 2), ...of('behind', 3)],
    // It may be the one that is missing, but not three.
    ...[...of('one', 1), nameless('one'), ...of('one', 3)],
    ...[...of('three', 1), nameless('three'), ...of('three', 5)],
  ]);
  await inbox.readTo(13);
  const office = await bench.startOffice();
  expect(outcomes(await office.deed('discard', '--because', 'not ours')).sort()).toEqual([
    ['behind', 'discarded', 0, 'gap: sequence 3 after 1'],
    ['later', 'discarded', 0, null],
    ['next', 'discarded', 0, null],
    ['one', 'discarded', 1, null],
    ['three', 'discarded', 0, 'gap: sequence 5 after 1'],
  ]);
  await inbox.producer.send([
    ...[...of('later', 2, 4, 3), ...of('next', 2, 3), ...of('behind', 2), ...of('three', 2, 3, 4)],
  ]);
  await inbox.readTo(22);
  await office.deed('replay');
  await consumer.stop();
  const seen = await inbox.effects();
  expect(['later', 'next', 'behind', 'one', 'three'].map((key) => effectsOf(seen, key))).toEqual([
    ...[upTo(4), upTo(3), upTo(3), [1, 3], upTo(5)],
  ]);
  expect(await inbox.parked()).toEqual([]);
}, 60_000);

test('what waits behind a dead letter stays until that one has passed, and what somebody else wrote is no repeat of it', async () => {
  bench.refuse(fact('a', 2));
  const consumer = inbox.consume(bench.picky);
  const of = (...sequences: number[]) => sequences.map((n) => factRecord(inbox.topic, 'a', n));
  await inbox.producer.send(of(1, 2));
  await inbox.readTo(2);
  await inbox.producer.send([...of(2), says('a', 2, 'foreign'), ...of(3)]);
  await inbox.readTo(5);
  await consumer.stop();
  const office = await bench.startOffice();
  const waiting = async () => (await inbox.parked()).map(({ factId, head }) => [factId, head]);
  expect(outcomes(await office.deed('replay'))).toMatchObject([['a', 'failed', 0, expect.any(String)]]);
  expect(await waiting()).toEqual([
    [fact('a', 2), true],
    [fact('a', 2), false],
    ['foreign', false],
    [fact('a', 3), false],
  ]);
  bench.refuse();
  expect(outcomes(await office.deed('replay'))).toEqual([
    ['a', 'failed', 1, 'another_record: sequence 2 has passed, and foreign is no repeat of it'],
  ]);
  expect(await waiting()).toEqual([
    ['foreign', true],
    [fact('a', 3), false],
  ]);
  expect(outcomes(await office.deed('discard', '--because', 'not ours'))).toEqual([
    ['a', 'discarded', 1, null],
  ]);
  expect(effectsOf(await inbox.effects(), 'a')).toEqual(upTo(3));
  expect(await inbox.parked()).toEqual([]);
}, 40_000);
