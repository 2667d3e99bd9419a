import { createFactProducer } from '../../platform/kafka';
import { withTransaction } from '../../platform/postgres';
import { runRelay } from '../../platform/relay';
import { readRelayed } from '../../platform/relay/outboxReader';
import { quiet, running } from '../support/backbone';
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

test('a gap between what one relay has sent and what the next one sends is an alarm', async () => {
  for (const key of ['whole', 'torn']) await write(key, 1, 2, 3);
  const before = bench.relaying();
  await bench.allSettled();
  await before.stop();

  await write('whole', 4);
  await write('torn', 5);
  await write('new', 7);
  let gaps = 0;
  const said: object[] = [];
  const log = {
    ...quiet,
    debug() {},
    info() {},
    warn() {},
    error: (fields: object) => void said.push(fields),
  };
  const next = running((signal) =>
    runRelay({
      ...{ databaseUrl: bench.db.url, database: 'test', pollMs: 10, signal, log },
      createProducer: () => createFactProducer(bench.kafka, { log: quiet }),
      observer: { sent() {}, refused() {}, gap: () => void (gaps += 1) },
    }),
  );
  await bench.allSettled();
  await next.stop();
  expect(said).toEqual([{ database: 'test', key: `${bench.topic} torn`, last: 3, sequence: 5 }]);
  expect(gaps).toBe(1);
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
