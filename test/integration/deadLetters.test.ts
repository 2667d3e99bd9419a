import type { DeadLetterDeedsView } from '../../contracts/api/deadLetters';
import { factRecord, readAll, unique, upTo } from '../support/backbone';
import { fact, outcomes, useDeadLetters } from '../support/deadLetterBench';
import { effectsOf } from '../support/inboxBench';

/** What consumers have put aside, as an operator finds it and brings it back. */

const bench = useDeadLetters();
const { inbox } = bench;

/** Facts 1 to 5 of a, b and c, of which some are refused, are consumed. */
async function consumeRefusing(...bad: string[]) {
  bench.refuse(...bad);
  const consumer = inbox.consume(bench.picky);
  await inbox.producer.send(
    upTo(5).flatMap((n) => ['a', 'b', 'c'].map((key) => factRecord(inbox.topic, key, n))),
  );
  await inbox.readTo(15);
  return consumer;
}

test('an operator finds dead letters by what they are, and sees all of one; who is away is said, not an error', async () => {
  const consumer = await consumeRefusing(fact('a', 2), fact('b', 4));
  await consumer.stop();
  const office = await bench.startOffice();
  const { deadLetters, unavailable } = await office.list();
  expect(
    deadLetters.map(({ key, sequence, waiting, consumer }) => [key, sequence, waiting, consumer]).sort(),
  ).toEqual([
    ['a', 2, 3, 'analytics'],
    ['b', 4, 1, 'analytics'],
  ]);
  expect(unavailable.map(({ consumer }) => consumer).sort()).toEqual([
    'audit',
    'notifications',
    'pricing',
    'relay',
    'tracks',
  ]);
  const keysBy = async (...filter: string[]) =>
    (await office.list(...filter)).deadLetters.map(({ key }) => key).sort();
  expect(await keysBy('--key', 'b')).toEqual(['b']);
  expect(await keysBy('--topic', inbox.topic, '--type', 'thing.changed', '--reason', 'fact_invalid')).toEqual(
    ['a', 'b'],
  );
  expect(await keysBy('--reason', fact('a', 2))).toEqual(['a']);
  expect(await keysBy('--type', 'thing.else')).toEqual([]);
  expect(await keysBy('--since', new Date(Date.now() + 60_000).toISOString())).toEqual([]);
  expect(await office.list('--consumer', 'analytics')).toMatchObject({ unavailable: [] });
  expect(await office.list('--limit', '1')).toMatchObject({ more: true });

  const { id } = deadLetters.find(({ key }) => key === 'a')!;
  const shown = await office.hailway('show', id);
  for (const part of ['not thing.changed/a/2', 'ce_correlationid: correlation', 'value: {}', fact('a', 5)])
    expect(shown.text).toContain(part);
  expect((await office.hailway('list', '--consumer', 'analytics')).code).toBe(1);
  expect((await office.api(`/v1/ops/dead-letters/analytics:${inbox.topic}:0:999`)).status).toBe(404);
  expect((await office.api('/v1/ops/dead-letters/nobody')).status).toBe(404);
  expect((await office.api('/v1/ops/dead-letters', await office.rider())).status).toBe(403);
  const because = 'made by mistake';
  for (const answer of [
    office.post('replay', {}),
    office.post('discard', { because }),
    office.post('discard', { because, limit: 1 }),
    office.post('discard', { because, all: true, key: 'a' }),
    office.post('discard', { because, all: true }),
    office.post('discard', { because, key: 'a' }),
  ])
    expect((await answer).status).toBe(400);
  expect(await office.list()).toMatchObject({ deadLetters: [{}, {}] });
  await expect(office.hailway('replay')).rejects.toThrow('take ids, or filters, or --all');
  await expect(office.hailway('discard', id)).rejects.toThrow('--because');
}, 40_000);

test('a replay brings back the head and what waits behind it, in order, up to the first that fails again', async () => {
  const consumer = await consumeRefusing(fact('a', 2), fact('b', 1));
  await consumer.stop();
  const office = await bench.startOffice();
  bench.refuse(fact('a', 4), fact('b', 1));
  expect(outcomes(await office.deed('replay', '--dry-run'))).toEqual(
    expect.arrayContaining([
      ['a', 'would_be', 0, null],
      ['b', 'would_be', 0, null],
    ]),
  );
  expect(effectsOf(await inbox.effects(), 'a')).toEqual([1]);
  expect(outcomes(await office.deed('replay')).sort()).toEqual([
    ['a', 'failed', 2, `fact_invalid: not ${fact('a', 4)}`],
    ['b', 'failed', 0, `fact_invalid: not ${fact('b', 1)}`],
  ]);
  expect(effectsOf(await inbox.effects(), 'a')).toEqual([1, 2, 3]);
  expect((await office.list('--key', 'a')).deadLetters).toMatchObject([
    { sequence: 4, attempts: 1, waiting: 1 },
  ]);
  expect((await office.list('--key', 'b')).deadLetters).toMatchObject([
    { sequence: 1, attempts: 2, waiting: 4 },
  ]);

  bench.refuse();
  const { deadLetters } = await office.list();
  const done = await office.hailway('replay', ...deadLetters.map(({ id }) => id));
  expect(done).toMatchObject({ code: 0 });
  const seen = await inbox.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual(Array(3).fill(upTo(5)));
  expect(await inbox.parked()).toEqual([]);
  const records = await readAll(inbox.kafka, inbox.topic);
  expect(records.map(({ headers }) => bench.sentMs.get(String(headers['ce_id'])))).toEqual(
    records.map(({ timestamp }) => timestamp),
  );
  expect(await office.hailway('list', '--consumer', 'analytics')).toEqual({
    code: 0,
    text: 'There are no dead letters.\n',
  });
}, 40_000);

test('the live consumer of the same keys loses no order meanwhile, and no effect happens twice', async () => {
  const consumer = await consumeRefusing(fact('a', 1), fact('b', 3));
  const office = await bench.startOffice();
  bench.refuse();
  const more = 60;
  const feed = (async () => {
    for (let n = 6; n <= more; n++)
      await inbox.producer.send(['a', 'b', 'c'].map((key) => factRecord(inbox.topic, key, n)));
  })();
  await inbox.readTo(30);
  const replayAll = async () =>
    (await (await office.post('replay', { all: true })).json()) as DeadLetterDeedsView;
  const replays = await Promise.all([replayAll(), replayAll()]);
  expect(replays.flatMap(({ done }) => done).filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  await feed;
  await inbox.readTo(3 * more);
  // What came between the two of the last look is brought back by the next.
  await office.hailway('replay', '--all');
  await consumer.stop();
  const seen = await inbox.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual(Array(3).fill(upTo(more)));
  expect(await inbox.parked()).toEqual([]);
}, 60_000);

test('a limit is one of all consumers together, and ids of nothing are named', async () => {
  const auditGroup = unique('audit');
  bench.refuse(fact('a', 1), fact('b', 1));
  const consumers = [
    inbox.consume(bench.picky),
    inbox.consume(bench.picky, { group: auditGroup, deadLetters: null }),
  ];
  await inbox.producer.send(['a', 'b'].map((key) => factRecord(inbox.topic, key, 1)));
  await inbox.readTo(4);
  for (const consumer of consumers) await consumer.stop();
  const office = await bench.startOffice(auditGroup);
  const done = async (what: 'replay' | 'discard', body: object) =>
    (await (await office.post(what, body)).json()) as DeadLetterDeedsView;
  const because = 'made by mistake';
  const { deadLetters: all } = await office.list();
  const meant = { because, ids: all.map(({ id }) => id) };
  expect(await done('discard', { ...meant, limit: 1 })).toMatchObject({ done: [{}], left: 0, more: true });
  const { deadLetters } = await office.list();
  expect(deadLetters).toHaveLength(3);
  for (const [limit, more] of [
    [2, true],
    [3, false],
  ])
    expect(await done('replay', { all: true, limit, dryRun: true })).toMatchObject({
      done: Array(limit as number).fill({ outcome: 'would_be' }),
      more,
    });
  const dryRun = (limit: string) =>
    office.hailway('replay', '--consumer', 'audit', '--dry-run', '--limit', limit);
  expect(await dryRun('1')).toMatchObject({ code: 1, text: expect.stringContaining('There are more') });
  expect(await dryRun('2')).toMatchObject({ code: 0, text: expect.not.stringContaining('There are more') });

  bench.refuse();
  const { id } = deadLetters.find(({ consumer }) => consumer === 'analytics')!;
  const nothing = [`analytics:${inbox.topic}:0:999`, `analytics:${inbox.topic}`];
  const replayed = await office.hailway('replay', id, ...nothing);
  expect(replayed.code).toBe(1);
  expect(replayed.text).toContain(`${id} replayed`);
  for (const unknown of nothing) expect(replayed.text).toContain(`${unknown} is no dead letter`);
  expect((await office.hailway('replay', id)).code).toBe(1);
  await expect(office.hailway('replay', id, '--limit', '1')).rejects.toThrow('ids say how many');
}, 40_000);
