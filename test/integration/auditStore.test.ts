import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectedRecords, storedRecords } from '../../consumers/audit/replaySource';
import { appendFacts, ensureFactPartitions } from '../../consumers/audit/store';
import { readTimeline } from '../../consumers/audit/timeline';
import { verifyChains } from '../../consumers/audit/verify';
import { parseFact } from '../../platform/inbox';
import { createPool, migrate, migrationSet, withTransaction, type Pool } from '../../platform/postgres';
import { factRecord } from '../support/backbone';
import { ownedDatabase } from '../support/consumers';
import { createDatabase } from '../support/servers';

const all = migrationSet('audit', 'consumers/audit/migrations');

/** A fact as it comes from Kafka. */
function fact(
  key: string,
  sequence: number,
  { partition = 0, offset = 0, time = '2026-03-01T12:00:00Z' } = {},
) {
  const { value, headers } = factRecord('rides', key, sequence, { sequence });
  return parseFact({
    ...{ topic: 'rides', partition, offset, key: Buffer.from(key), timestamp: Date.parse(time) },
    value: Buffer.from(value as string),
    headers: { ...headers, ce_time: time },
  });
}

const append = (pool: Pool, ...facts: ReturnType<typeof fact>[]): Promise<void> =>
  withTransaction(pool, (tx) => appendFacts(tx, facts));

test('facts that were stored before begin the chains, in the order of the log, and in the partitions of their months', async () => {
  const before = mkdtempSync(join(tmpdir(), 'hailway-audit-'));
  cpSync(join(all.dir, '0001_facts.sql'), join(before, '0001_facts.sql'));
  const database = await ownedDatabase('audit', [{ name: 'audit', dir: before }]);
  const pool = createPool(database.url, { applicationName: 'test', max: 2 });
  try {
    await pool.query(
      `insert into facts (topic, key, sequence, fact_id, type, time, partition, "offset", headers, data, recorded_at)
       select 'rides', 'ride-' || i % 3, i / 3 + 1, 'thing.changed/ride-' || i % 3 || '/' || i / 3 + 1, 'thing.changed',
         timestamptz '2026-01-30T12:00:00.123456Z' + i * interval '1 day', i % 2, i / 2,
         json_build_object('ce_source', '/x', 'ce_correlationid', 'ride-' || i % 3, 'ce_causationid', 'ü/request/0'),
         json_build_object('i', i, 'text', 'ümlaut'), now() from generate_series(0, 8) as i`,
    );
    const stored = () =>
      pool.query(
        `select fact_id, partition, "offset", headers::text, data::text from facts order by fact_id`,
      );
    const rows = await stored();
    await migrate(database.url, [all]);
    expect((await stored()).rows).toEqual(rows.rows);
    expect(await verifyChains(pool)).toMatchObject({ facts: 9, chains: 2, breaks: [] });

    await append(pool, fact('ride-0', 4, { partition: 1, offset: 4 }));
    expect(await verifyChains(pool)).toMatchObject({ facts: 10, breaks: [] });
    const places = await pool.query<{ line: string }>(
      `select partition || '/' || place || ' ' || "offset" as line from facts order by partition, place`,
    );
    expect(places.rows.map(({ line }) => line)).toEqual([
      ...['0/1 0', '0/2 1', '0/3 2', '0/4 3', '0/5 4'],
      ...['1/1 0', '1/2 1', '1/3 2', '1/4 3', '1/5 4'],
    ]);
    const months = await pool.query<{ line: string }>(
      `select tableoid::regclass || ' ' || count(*) as line from facts group by tableoid order by 1`,
    );
    expect(months.rows.map(({ line }) => line)).toEqual([
      'facts_2026_01 2',
      'facts_2026_02 7',
      'facts_other 1',
    ]);
    expect((await readTimeline(pool, 'ride-0')).facts).toHaveLength(3);
  } finally {
    await pool.end();
    await database.drop();
    rmSync(before, { recursive: true });
  }
});

describe("the store's own process", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = createPool(await createDatabase('audit'), { applicationName: 'test', max: 2 });
    await append(pool, fact('ride-1', 1), fact('ride-1', 2, { offset: 1 }));
  });
  afterAll(() => pool?.end());

  test.each([
    `update facts set type = 'x'`,
    'delete from facts',
    'truncate facts',
    'delete from facts_other',
    'truncate facts_other',
    'update fact_chains set place = 1',
    'delete from fact_chains',
    `insert into facts_other select * from facts`,
  ])('is denied: %s', async (sql) => {
    await expect(pool.query(sql)).rejects.toThrow(/^permission denied for table fact/);
  });

  test('makes the partitions of the months to come, and again none; this month’s facts go into theirs', async () => {
    await ensureFactPartitions(pool);
    await ensureFactPartitions(pool);
    const month = new Date().toISOString().slice(0, 7).replace('-', '_');
    const { rows } = await pool.query<{ name: string }>(
      `select relname as name from pg_class where relname ~ '^facts_[0-9_]+$' order by relname`,
    );
    expect(rows).toHaveLength(5);
    expect(rows[1]).toEqual({ name: `facts_${month}` });
    await append(pool, fact('ride-2', 1, { offset: 2, time: new Date().toISOString() }));
    const inMonth = await pool.query(`select from facts where tableoid = 'facts_${month}'::regclass`);
    expect(inMonth.rowCount).toBe(1);
    await expect(pool.query(`delete from facts_${month}`)).rejects.toThrow('permission denied');
    expect(await verifyChains(pool)).toMatchObject({ facts: 3, breaks: [] });
  });

  test('stores a fact once, also in another batch, and refuses a chain that has gone on', async () => {
    const [third, fourth] = [fact('ride-1', 3, { offset: 3 }), fact('ride-1', 4, { offset: 4 })];
    await append(pool, third);
    await append(pool, third, fourth);
    expect(await verifyChains(pool)).toMatchObject({ facts: 5, breaks: [] });
    await expect(append(pool, fact('ride-9', 1, { time: 'tomorrow' }))).rejects.toThrow('is no time');
  });

  test('gives facts in the order in which they were sent, and each chain’s in its own', async () => {
    const at = (time: string, partition: number) => ({ partition, time: `2026-03-01T${time}:00Z` });
    // The first was put aside and stored with the time at which it was, as stores of before have it.
    await append(pool, fact('ride-3', 1, at('13:00', 3)), fact('ride-3', 2, at('12:00', 3)));
    await append(pool, fact('ride-4', 1, at('12:30', 4)));
    const ids: string[] = [];
    await withTransaction(pool, async (tx) => {
      const ranges = [3, 4].map((partition) => ({ topic: 'rides', partition, from: 0, below: 99 }));
      for await (const page of selectedRecords(tx, {}, ranges))
        ids.push(...page.map(({ headers }) => String(headers['ce_id'])));
    });
    expect(ids).toEqual(['ride-4/1', 'ride-3/1', 'ride-3/2'].map((id) => `thing.changed/${id}`));
  });

  test('gives replays what it took late where the log has it', async () => {
    const offsets = [0, 2, 3, 1];
    await append(pool, ...offsets.map((offset) => fact(`ride-3/${offset}`, 1, { partition: 7, offset })));
    const place = { topic: 'rides', partition: 7 };
    const read = async (from: number, below: number, limit: number) =>
      (await storedRecords(pool, place, { from, below, limit })).map(({ offset }) => offset);
    expect(await read(0, 4, 3)).toEqual([0, 1, 2]);
    expect(await read(3, 4, 3)).toEqual([3]);
    // A consumer that has not come to the third: no fact behind it, though it is in the chain before the late one.
    const selected: number[] = [];
    await withTransaction(pool, async (tx) => {
      for await (const page of selectedRecords(tx, {}, [{ ...place, from: 0, below: 3 }]))
        selected.push(...page.map(({ offset }) => offset));
    });
    expect(selected.sort()).toEqual([0, 1, 2]);
  });
});
