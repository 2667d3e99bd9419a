import { withTransaction } from '../../platform/postgres';
import { readRelayed } from '../../platform/relay/outboxReader';
import { eventually } from '../support/backbone';
import { useRelay } from '../support/relayBench';

/** What a relay knows of the facts that others have relayed before it. */

const bench = useRelay();

const write = (key: string, ...sequences: number[]): Promise<void> =>
  withTransaction(bench.db.pool, async (tx) => {
    for (const sequence of sequences)
      await tx.query(
        `insert into outbox (topic, key, headers, value)
         values ($1, $2, json_build_object('ce_sequence', $3::text), '{}')`,
        [bench.topic, key, sequence],
      );
  });

/** A relay that has sent the facts 1 to 3 of two keys, and then is gone; one of the two goes on with 4, the other with 5. */
async function tornBetweenRelays(): Promise<void> {
  for (const key of ['whole', 'torn']) await write(key, 1, 2, 3);
  const before = bench.relaying();
  await bench.allSettled();
  await before.stop();
  await write('whole', 4);
  await write('torn', 5);
  await write('new', 7);
}

/** The relay that goes on, and what it says. */
function next() {
  const errors: object[] = [];
  const warnings: string[] = [];
  let gaps = 0;
  const log = {
    ...{ debug() {}, info() {} },
    warn: (_fields: object, message?: string) => void warnings.push(message ?? ''),
    error: (fields: object) => void errors.push(fields),
  };
  const relay = bench.relaying({ log, observer: { sent() {}, refused() {}, gap: () => void (gaps += 1) } });
  return { relay, errors, warnings, gaps: () => gaps };
}

const theGap = () => [{ database: 'test', key: `${bench.topic} torn`, last: 3, sequence: 5 }];

test('a gap between what one relay has sent and what the next one sends is an alarm', async () => {
  await tornBetweenRelays();
  const { relay, errors, gaps } = next();
  await bench.allSettled();
  await relay.stop();
  expect(errors).toEqual(theGap());
  expect(gaps()).toBe(1);
}, 60_000);

/** Has this come first whenever a relay asks what was relayed before it: nothing else that it asks uses this function. */
const beforeRecalling = async (sql: string): Promise<void> => {
  const name = new URL(bench.db.url).pathname.slice(1);
  await bench.db.pool.query(
    `create function public.pg_snapshot_xmax(taken pg_snapshot) returns xid8 language plpgsql as $$
       begin ${sql}; return pg_catalog.pg_snapshot_xmax(taken); end $$;
     alter database ${name} set search_path = public, pg_catalog`,
  );
};

test('facts do not wait until it is known what was relayed before them', async () => {
  await tornBetweenRelays();
  await beforeRecalling('perform pg_advisory_xact_lock(1)');
  const other = await bench.db.pool.connect();
  await other.query('select pg_advisory_lock(1)');
  const { relay, errors, gaps } = next();
  await bench.allSettled();
  expect(errors).toEqual([]);
  await other.query('select pg_advisory_unlock(1)');
  other.release();
  await eventually(gaps, (n) => n === 1);
  await relay.stop();
  expect(errors).toEqual(theGap());
}, 60_000);

test('facts are sent though it is not known what was relayed before them, and that is said', async () => {
  await tornBetweenRelays();
  await beforeRecalling(`raise exception 'not now'`);
  const { relay, warnings, gaps } = next();
  await bench.allSettled();
  await relay.stop();
  expect([...new Set(warnings)]).toEqual(['no gap is found to what was relayed before: it is not known']);
  expect(gaps()).toBe(0);
}, 60_000);

test('what lies behind a position is what was relayed: all of earlier windows, and of this one up to an id', async () => {
  const { pool } = bench.db;
  const snapshot = async (): Promise<string> =>
    (await pool.query<{ now: string }>('select pg_current_snapshot()::text as now')).rows[0]!.now;
  const relayed = async (position: { from: string; to: string | null; lastId: number }) =>
    (await readRelayed(pool, lane, position)).map(({ sequence }) => Number(sequence)).sort();
  const { rows } = await pool.query<{ lane: number }>(`select outbox_lane('key') as lane`);
  const { lane } = rows[0]!;
  const start = '1:1:';
  await write('key', 1, 2);
  const from = await snapshot();
  // Begun in the window, and committed after it.
  const late = await pool.connect();
  try {
    await late.query('begin');
    await late.query(
      `insert into outbox (topic, key, headers, value) values ('t', 'key', '{"ce_sequence": "9"}', '')`,
    );
    await write('key', 3, 4, 5);
    const to = await snapshot();
    await late.query('commit');
    await write('key', 6);
    const ids = await pool.query<{ id: number }>('select id from outbox order by id');
    const fourth = ids.rows[4]!.id;
    expect(await relayed({ from: start, to: null, lastId: 0 })).toEqual([]);
    expect(await relayed({ from: start, to: from, lastId: ids.rows[0]!.id })).toEqual([1]);
    expect(await relayed({ from, to: null, lastId: 0 })).toEqual([1, 2]);
    expect(new Set(await relayed({ from, to, lastId: fourth }))).toEqual(new Set([1, 2, 3, 4]));
    expect(await relayed({ from: to, to: null, lastId: 0 })).toEqual([1, 2, 3, 4, 5]);
  } finally {
    late.release(true);
  }
});
