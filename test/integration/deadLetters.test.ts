import { v7 as uuidv7 } from 'uuid';
import type { DeadLetterDeedsView, DeadLettersView } from '../../contracts/api/deadLetters';
import { problemPages } from '../../contracts/api/problems';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { deadLetterRoutes as internalRoutes } from '../../platform/deadLetters';
import { createMount } from '../../platform/http';
import { createInboxDeadLetters, type Handle } from '../../platform/inbox';
import { deadLetterRoutes } from '../../services/gateway/deadLetterRoutes';
import { dlq } from '../../tools/cli/dlq';
import { issuer } from '../support/apiGround';
import { factRecord, quiet, readAll, upTo } from '../support/backbone';
import { httpServers } from '../support/httpServers';
import { effectsOf, insertEffects, useInbox } from '../support/inboxBench';

const bench = useInbox();
const serve = httpServers(quiet);

/** Ids of facts that cannot be applied for now. */
let refused = new Set<string>();
/** When the applied facts were sent, by their ids. */
const sentMs = new Map<string, number>();
const picky: Handle = async (tx, facts) => {
  const bad = facts.find(({ id }) => refused.has(id));
  if (bad) throw Object.assign(new Error(`not ${bad.id}`), { code: 'fact_invalid', retriable: false });
  await insertEffects(tx, facts);
  for (const { id, record } of facts) sentMs.set(id, record.timestamp);
};
const fact = (key: string, n: number): string => `thing.changed/${key}/${n}`;

/** A consumer's process and the gateway before it, as an operator's command line reaches them. */
async function startOffice() {
  const { verify, token } = await issuer();
  const requireRole = createRequireRole(verify);
  const office = createInboxDeadLetters({
    ...{ pool: bench.db.subject, group: bench.group, consumer: 'analytics', topicPrefix: '' },
    ...{ handle: picky, log: quiet },
  });
  const consumer = await serve({
    problems: problemPages,
    routes: (router) => internalRoutes(createMount(router, requireRole), office),
  });
  const [service, operator] = [await token('service', 'gateway'), await token('operator', 'op-1')];
  const client = (name: string, port: number) =>
    createClient({ name, baseUrl: `http://127.0.0.1:${port}`, token: service, deadlineMs: 8_000 });
  const nobody = client('nobody', 1);
  const gateway = await serve({
    problems: problemPages,
    routes: (router) =>
      deadLetterRoutes(createMount(router, requireRole), {
        ...{ analytics: client('analytics', consumer.port), audit: nobody },
        ...{ notifications: nobody, pricing: nobody, relay: nobody },
      }),
  });
  const url = `http://127.0.0.1:${gateway.port}`;
  /** What the command says and its exit code. */
  const hailway = async (...argv: string[]) => {
    const written: string[] = [];
    const out = jest
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => Boolean(written.push(String(text))));
    const code = await dlq([...argv, '--token', operator], { GATEWAY_URL: url }).finally(() =>
      out.mockRestore(),
    );
    return { code, text: written.join('') };
  };
  const asked = async <T>(...argv: string[]): Promise<T> =>
    JSON.parse((await hailway(...argv, '--json')).text) as T;
  return {
    hailway,
    list: (...argv: string[]) => asked<DeadLettersView>('list', ...argv),
    deed: (...argv: string[]) => asked<DeadLetterDeedsView>(...argv, '--consumer', 'analytics'),
    api: (path: string, as: string = operator) =>
      fetch(url + path, { headers: { authorization: `Bearer ${as}` } }),
    post: (what: 'replay' | 'discard', body: object) =>
      fetch(`${url}/v1/ops/dead-letters/${what}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    rider: () => token('rider', uuidv7()),
  };
}

beforeEach(() => (refused = new Set()));

/** Facts 1 to 5 of a, b and c, of which some are refused, are consumed. */
async function consumeRefusing(...bad: string[]) {
  refused = new Set(bad);
  const inbox = bench.consume(picky);
  await bench.producer.send(
    upTo(5).flatMap((n) => ['a', 'b', 'c'].map((key) => factRecord(bench.topic, key, n))),
  );
  await bench.readTo(15);
  return inbox;
}

const outcomes = ({ done }: DeadLetterDeedsView) =>
  done.map(({ key, outcome, applied, reason }) => [key, outcome, applied, reason]);

test('an operator finds dead letters by what they are, and sees all of one; who is away is said, not an error', async () => {
  const inbox = await consumeRefusing(fact('a', 2), fact('b', 4));
  await inbox.stop();
  const office = await startOffice();
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
  ]);
  const keysBy = async (...filter: string[]) =>
    (await office.list(...filter)).deadLetters.map(({ key }) => key).sort();
  expect(await keysBy('--key', 'b')).toEqual(['b']);
  expect(await keysBy('--topic', bench.topic, '--type', 'thing.changed', '--reason', 'fact_invalid')).toEqual(
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
  expect((await office.api(`/v1/ops/dead-letters/analytics:${bench.topic}:0:999`)).status).toBe(404);
  expect((await office.api('/v1/ops/dead-letters/nobody')).status).toBe(404);
  expect((await office.api('/v1/ops/dead-letters', await office.rider())).status).toBe(403);
  const because = 'made by mistake';
  for (const answer of [
    office.post('replay', {}),
    office.post('discard', { because }),
    office.post('discard', { because, limit: 1 }),
    office.post('discard', { because, all: true, key: 'a' }),
  ])
    expect((await answer).status).toBe(400);
  expect(await office.list()).toMatchObject({ deadLetters: [{}, {}] });
  await expect(office.hailway('replay')).rejects.toThrow('take ids, or filters, or --all');
  await expect(office.hailway('discard', id)).rejects.toThrow('--because');
}, 40_000);

test('a replay brings back the head and what waits behind it, in order, up to the first that fails again', async () => {
  const inbox = await consumeRefusing(fact('a', 2), fact('b', 1));
  await inbox.stop();
  const office = await startOffice();
  refused = new Set([fact('a', 4), fact('b', 1)]);
  expect(outcomes(await office.deed('replay', '--dry-run'))).toEqual(
    expect.arrayContaining([
      ['a', 'would_be', 0, null],
      ['b', 'would_be', 0, null],
    ]),
  );
  expect(effectsOf(await bench.effects(), 'a')).toEqual([1]);
  expect(outcomes(await office.deed('replay')).sort()).toEqual([
    ['a', 'failed', 2, `fact_invalid: not ${fact('a', 4)}`],
    ['b', 'failed', 0, `fact_invalid: not ${fact('b', 1)}`],
  ]);
  expect(effectsOf(await bench.effects(), 'a')).toEqual([1, 2, 3]);
  expect((await office.list('--key', 'a')).deadLetters).toMatchObject([
    { sequence: 4, attempts: 1, waiting: 1 },
  ]);
  expect((await office.list('--key', 'b')).deadLetters).toMatchObject([
    { sequence: 1, attempts: 2, waiting: 4 },
  ]);

  refused = new Set();
  const { deadLetters } = await office.list();
  const done = await office.hailway('replay', ...deadLetters.map(({ id }) => id));
  expect(done).toMatchObject({ code: 0 });
  const seen = await bench.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual(Array(3).fill(upTo(5)));
  expect(await bench.parked()).toEqual([]);
  const records = await readAll(bench.kafka, bench.topic);
  expect(records.map(({ headers }) => sentMs.get(String(headers['ce_id'])))).toEqual(
    records.map(({ timestamp }) => timestamp),
  );
  expect(await office.hailway('list', '--consumer', 'analytics')).toEqual({
    code: 0,
    text: 'There are no dead letters.\n',
  });
}, 40_000);

test('the live consumer of the same keys loses no order meanwhile, and no effect happens twice', async () => {
  const inbox = await consumeRefusing(fact('a', 1), fact('b', 3));
  const office = await startOffice();
  refused = new Set();
  const more = 60;
  const feed = (async () => {
    for (let n = 6; n <= more; n++)
      await bench.producer.send(['a', 'b', 'c'].map((key) => factRecord(bench.topic, key, n)));
  })();
  await bench.readTo(30);
  const replayAll = async () =>
    (await (await office.post('replay', { all: true })).json()) as DeadLetterDeedsView;
  const replays = await Promise.all([replayAll(), replayAll()]);
  expect(replays.flatMap(({ done }) => done).filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  await feed;
  await bench.readTo(3 * more);
  // What came between the two of the last look is brought back by the next.
  await office.hailway('replay', '--all');
  await inbox.stop();
  const seen = await bench.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual(Array(3).fill(upTo(more)));
  expect(await bench.parked()).toEqual([]);
}, 60_000);

test('what is discarded is gone for good, and kept with who and why; what waits goes on without it', async () => {
  refused = new Set([fact('a', 2)]);
  const inbox = bench.consume(picky);
  const tombstone = { ...factRecord(bench.topic, 'b', 2), value: null };
  await bench.producer.send([
    ...upTo(4).map((n) => factRecord(bench.topic, 'a', n)),
    ...[factRecord(bench.topic, 'b', 1), tombstone, factRecord(bench.topic, 'b', 3)],
    ...[1, 2, 4, 5].map((n) => factRecord(bench.topic, 'c', n)),
    { ...factRecord(bench.topic, 'x', 1), key: null },
  ]);
  await bench.readTo(12);
  const office = await startOffice();
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
  await bench.producer.send(
    [
      ['a', 5],
      ['b', 4],
      ['c', 6],
    ].map(([key, n]) => factRecord(bench.topic, key as string, n as number)),
  );
  await bench.readTo(15);
  await inbox.stop();
  const seen = await bench.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(seen, key))).toEqual([
    [1, 3, 4, 5],
    [1, 3, 4],
    [1, 2, 5, 6],
  ]);
  const { rows } = await bench.db.pool.query(
    `select fact_id as id, discarded_by as by, discarded_because as because, reason from inbox_discarded order by key`,
  );
  expect(rows).toMatchObject([
    { id: null, by: 'op-1', because: 'made by mistake' },
    { id: fact('a', 2), by: 'op-1', because: 'made by mistake', reason: `fact_invalid: not ${fact('a', 2)}` },
    { id: null, by: 'op-1', because: 'made by mistake', reason: 'malformed_fact: the value is missing' },
    { id: fact('c', 4), by: 'op-1', because: 'made by mistake', reason: 'gap: sequence 4 after 2' },
  ]);

  // Who reads the log again, from its beginning, comes to the same.
  await bench.db.pool.query('truncate inbox_positions, inbox_sequences, effects');
  const again = bench.consume();
  await bench.producer.send([factRecord(bench.topic, 'a', 6)]);
  await bench.readTo(16);
  await again.stop();
  const replayed = await bench.effects();
  expect(['a', 'b', 'c'].map((key) => effectsOf(replayed, key))).toEqual([
    [1, 3, 4, 5, 6],
    [1, 3, 4],
    [1, 2, 5, 6],
  ]);
  expect(await bench.parked()).toEqual([]);
}, 60_000);

test('a record that is discarded takes no other of its key with it, whatever it says that it is', async () => {
  const inbox = bench.consume(picky);
  const says = (key: string, n: number, id: string) => {
    const record = factRecord(bench.topic, key, n);
    return { ...record, headers: { ...record.headers, ce_id: id } };
  };
  await bench.producer.send([
    ...[1, 3, 2].map((n) => factRecord(bench.topic, 'late', n)),
    ...[1, 3, 4, 2].map((n) => factRecord(bench.topic, 'both', n)),
    ...[factRecord(bench.topic, 'near', 1), says('near', 3, 'foreign')],
    ...[factRecord(bench.topic, 'far', 1), says('far', 900, 'foreign'), factRecord(bench.topic, 'far', 2)],
    ...[factRecord(bench.topic, 'alone', 1), says('alone', 900, 'foreign')],
    ...[{ ...says('same', 1, 'foreign'), value: 'no JSON' }, factRecord(bench.topic, 'same', 1)],
  ]);
  await bench.readTo(16);
  const office = await startOffice();
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
  await bench.producer.send([
    ...[2, 3].map((n) => factRecord(bench.topic, 'alone', n)),
    ...[factRecord(bench.topic, 'far', 3), factRecord(bench.topic, 'same', 2)],
    // What is missing before them is what was given up; the one that came in its place is missed by nobody.
    ...[factRecord(bench.topic, 'late', 4), factRecord(bench.topic, 'both', 5)],
    ...[2, 3, 4].map((n) => factRecord(bench.topic, 'near', n)),
  ]);
  await bench.readTo(25);
  await inbox.stop();
  const seen = await bench.effects();
  expect(['late', 'both', 'near', 'far', 'alone', 'same'].map((key) => effectsOf(seen, key))).toEqual([
    ...[[1, 2, 4], [1, 2, 4, 5], upTo(4), upTo(3), upTo(3), [1, 2]],
  ]);
  expect(await bench.parked()).toEqual([]);
}, 60_000);
