import { leaseMs } from '../../platform/relay/lease';
import { eventually, firstOccurrences, readAll, record } from '../support/backbone';
import { useRelay } from '../support/relayBench';

/** What must not stop a relay: a position that is not moved, a look that takes longer than a lease, a rotation that waits. */

const bench = useRelay();

/** Lanes by owner, and how often lanes were taken. */
const held = async (): Promise<{ lanes: string; taken: number }> => {
  const { rows } = await bench.db.pool.query<{ lanes: number; taken: number }>(
    `select count(*) as lanes, sum(epoch)::bigint as taken from relay_lanes
     where leased_until > clock_timestamp() group by owner order by 1`,
  );
  return {
    lanes: rows.map(({ lanes }) => lanes).join(),
    taken: rows.reduce((sum, { taken }) => sum + taken, 0),
  };
};
const shared = (lanes: string) => eventually(held, (seen) => seen.lanes === lanes, 20_000);

/** Refuses to move the position of a lane where this SQL says so. */
const refuseMoves = (when: string) =>
  bench.db.pool.query(
    `create sequence moves;
     create function refuse() returns trigger language plpgsql as $$
       begin
         if ${when} then raise exception 'not now'; end if;
         return new;
       end $$;
     create trigger refuse before update of last_id on relay_lanes for each row execute function refuse()`,
  );

/** Until a relay's statement with this text has waited for a lock for so long. */
const waitsFor = (text: string, forMs: number) =>
  eventually(
    async () => {
      const { rows } = await bench.db.pool.query<{ ms: number | null }>(
        `select extract(epoch from max(clock_timestamp() - query_start))::float8 * 1000 as ms from pg_stat_activity
         where datname = current_database() and application_name = 'relay' and state = 'active'
           and wait_event_type = 'Lock' and strpos(query, $1) > 0`,
        [text],
      );
      return rows[0]!.ms ?? -1;
    },
    (ms) => ms > forMs,
    20_000,
  );

test('a position that could not be moved is moved later, though no more facts come', async () => {
  await refuseMoves(`nextval('moves') = 1`);
  await record(bench.db.pool, bench.topic, 'key');
  const relay = bench.relaying();
  await bench.allSettled();
  await relay.stop();
  const { byKey, repeats } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([byKey.get('key'), repeats]).toEqual([[1], 1]);
}, 60_000);

test('a look at a backlog may take longer than a lease, and costs no lane', async () => {
  const relay = bench.relaying();
  const { taken } = await shared('8');
  const other = await bench.db.pool.connect();
  await other.query('begin; lock table outbox in access exclusive mode');
  await waitsFor('pg_current_snapshot', leaseMs + 500);
  expect(await held()).toEqual({ lanes: '8', taken });
  await other.query('rollback');
  other.release();
  await record(bench.db.pool, bench.topic, 'key');
  await bench.allSettled();
  await relay.stop();
}, 60_000);

test('segments that take long to empty hold no fact up', async () => {
  await bench.db.pool.query(
    `create or replace function outbox_empty_segment(emptied smallint) returns boolean language plpgsql as $$
       begin
         perform pg_advisory_xact_lock(1);
         return false;
       end $$`,
  );
  const other = await bench.db.pool.connect();
  await other.query('select pg_advisory_lock(1)');
  const relay = bench.relaying();
  const { taken } = await shared('8');
  await waitsFor('outbox_empty_segment', 0);
  await record(bench.db.pool, bench.topic, 'key');
  await bench.allSettled();
  expect(await held()).toEqual({ lanes: '8', taken });
  await other.query('select pg_advisory_unlock(1)');
  other.release();
  await relay.stop();
}, 60_000);

test('a lane that its owner cannot run is given up, too, when others come', async () => {
  const { rows } = await bench.db.pool.query<{ key: string }>(
    `select 'key-' || n as key from generate_series(1, 100) as n where outbox_lane('key-' || n) = 7 limit 1`,
  );
  await refuseMoves('new.lane = 7');
  await record(bench.db.pool, bench.topic, rows[0]!.key);
  const relays = [bench.relaying()];
  await shared('8');
  relays.push(bench.relaying());
  await shared('4,4');
  await bench.db.pool.query('drop trigger refuse on relay_lanes');
  await bench.allSettled();
  await Promise.all(relays.map((relay) => relay.stop()));
}, 60_000);
