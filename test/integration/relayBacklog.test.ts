import { createPool, type Pool } from '../../platform/postgres';
import {
  inOrder,
  lookForNews,
  readFacts,
  type Reached,
  type Window,
} from '../../platform/relay/outboxReader';
import { relaySummary } from '../../platform/relay/summary';
import { testDatabase, type TestDatabase } from '../support/backbone';

/** What a look at an outbox costs where much lies in it, as Postgres counts it: rows read, not time. */

const sent = 6_000;
const waiting = 10_000;
const lane = 0;

let db: TestDatabase;
let pool: Pool;
beforeEach(async () => {
  db = await testDatabase(4);
  pool = createPool(db.url, { applicationName: 'relay', max: 2, settings: inOrder });
  const { rows } = await db.pool.query<{ key: string }>(
    `select 'key-' || n as key from generate_series(1, 100) as n where outbox_lane('key-' || n) = $1 limit 1`,
    [lane],
  );
  key = rows[0]!.key;
});
afterEach(async () => {
  await pool.end();
  await db.drop();
});

let key: string;
const write = (facts: number, db_: Pick<Pool, 'query'> = db.pool): Promise<unknown> =>
  db_.query(
    `insert into outbox (topic, key, headers, value)
     select 'topic', $1, json_build_object('ce_sequence', n::text), '{}' from generate_series(1, $2::integer) as n`,
    [key, facts],
  );

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Node[];
}

/** Runs `work`, each of its statements a second time under EXPLAIN ANALYZE: how it went through the outbox. */
async function explained<T>(
  work: (db: Pool) => Promise<T>,
): Promise<{ answer: T; read: number; scans: string[] }> {
  const statements: { text: string; values?: unknown[] }[] = [];
  const recording = {
    query: (statement: string | { text: string; values: unknown[] }, values?: unknown[]) => {
      const { text, ...given } = typeof statement === 'string' ? { text: statement, values } : statement;
      statements.push({ text, ...(given.values ? { values: given.values } : {}) });
      return pool.query(text, given.values);
    },
  };
  const answer = await work(recording as unknown as Pool);
  const scans = new Set<string>();
  let read = 0;
  const walk = (node: Node): void => {
    if (node['Relation Name']?.startsWith('outbox_')) {
      scans.add(`${node['Node Type']} ${node['Index Name']?.replace(/^outbox_\d/, '') ?? ''}`.trim());
      const rows = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);
      read += node['Actual Loops'] * rows;
    }
    scans.add(node['Node Type'] === 'Sort' ? 'Sort' : '');
    node.Plans?.forEach(walk);
  };
  for (const { text, values } of statements) {
    const { rows } = await pool.query<{ 'QUERY PLAN': { Plan: Node }[] }>(
      `explain (analyze, format json) ${text}`,
      values,
    );
    walk(rows[0]!['QUERY PLAN'][0]!.Plan);
  }
  scans.delete('');
  return { answer, read, scans: [...scans].sort() };
}

const look = async (reached: Reached) =>
  explained((db) => lookForNews(db, new Map([...Array(8).keys()].map((n) => [n, reached]))));

test('a look for news and a page cost the same however much there is, and go through the index', async () => {
  await write(sent);
  // Under way at the first look, and committed when there is a backlog.
  const late = await db.pool.connect();
  await late.query('begin');
  await write(1, late);
  await write(10);
  const { answer: first } = await look({ from: '1:1:', floor: null });
  const { to: from, floor } = first.windows.get(lane)!;
  const { answer: none } = await look({ from, floor });
  expect(none.windows.size).toBe(0);
  await write(waiting);
  const before = await look({ from: none.now, floor });
  await late.query('commit');
  late.release();
  const after = await look({ from: none.now, floor });

  for (const { read, scans } of [before, after]) {
    expect(read).toBeLessThan(40);
    for (const scan of scans) expect(scan).toMatch(/^Index (Only )?Scan _lane_(id|xid)_idx$/);
  }
  const window = after.answer.windows.get(lane)!;
  expect(window).toMatchObject({ from: none.now, to: after.answer.now });
  expect([...after.answer.windows.keys()]).toEqual([lane]);

  let facts = 0;
  for (let page: Window = window; facts < waiting + 1;) {
    const { answer, read, scans } = await explained((db) => readFacts(db, lane, page));
    expect(answer.length).toBeGreaterThan(0);
    expect(answer.length).toBeLessThanOrEqual(2_000);
    expect(read).toBeLessThan(2_000 + 20);
    expect(scans).toEqual(['Index Scan _lane_id_idx']);
    facts += answer.length;
    page = { ...page, afterId: answer.at(-1)!.id };
  }
  expect(facts).toBe(waiting + 1);
}, 60_000);

test('a transaction has its number before its facts have theirs, also where it has written nothing before', async () => {
  await db.pool.query(
    `insert into outbox (topic, key, headers, value)
     select 'topic', 'key', '{}', coalesce(begun::text, 'not begun')
     from (select pg_current_xact_id_if_assigned() as begun from generate_series(1, 2) offset 0) as it`,
  );
  const { rows } = await db.pool.query('select value = xid::text as "isBegun" from outbox');
  expect(rows).toEqual([{ isBegun: true }, { isBegun: true }]);
});

test('how old the oldest fact is that waits is known at the same cost while a window is open', async () => {
  const { pool } = db;
  const snapshot = async () =>
    (await pool.query<{ now: string }>('select pg_current_snapshot()::text as now')).rows[0]!.now;
  const age = (minutes: number, from: number, upTo: number) =>
    pool.query(
      `update outbox set recorded_at = now() - make_interval(mins => $1) where id between $2 and $3`,
      [minutes, from, upTo],
    );
  const summary = async (position: { from: string; to: string | null; lastId: number }) => {
    await pool.query(
      `update relay_lanes set from_snapshot = $1, to_snapshot = $2, last_id = $3 where lane = ${lane}`,
      [position.from, position.to, position.lastId],
    );
    const { answer, read } = await explained(relaySummary);
    expect(read).toBeLessThan(20);
    return Math.round(answer.oldestSeconds / 60);
  };
  await pool.query(`update relay_lanes set from_snapshot = pg_current_snapshot()`);
  const from = await snapshot();
  await write(sent);
  const late = await pool.connect();
  try {
    await late.query('begin');
    await write(1, late);
    const to = await snapshot();
    await write(waiting);
    const last = sent + 1 + waiting;
    await age(50, 1, sent - 1);
    await age(40, sent, sent);
    await age(20, sent + 2, last);
    // All but one of the window is sent; nothing of it is; all is, and others came behind it; nothing waits.
    expect(await summary({ from, to, lastId: sent - 1 })).toBe(40);
    expect(await summary({ from, to, lastId: 0 })).toBe(50);
    expect(await summary({ from: to, to: null, lastId: 0 })).toBe(20);
    const now = await snapshot();
    expect(await summary({ from: now, to: null, lastId: 0 })).toBe(0);
    await late.query(`update outbox set recorded_at = now() - interval '30 minutes' where id = $1`, [
      sent + 1,
    ]);
    await late.query('commit');
    expect(await summary({ from: now, to: null, lastId: 0 })).toBe(30);
  } finally {
    late.release(true);
  }
});
