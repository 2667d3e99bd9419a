import { once } from 'node:events';
import { beatMs, leaseMs } from '../../platform/relay/lease';
import { eventually, firstOccurrences, readAll, record, upTo } from '../support/backbone';
import { useRelay } from '../support/relayBench';

/** Relays that share the lanes of a database, and take those of one that is gone, or seems to be. */

const bench = useRelay();

/** Lanes by owner. */
const lanesOf = async (): Promise<string> => {
  const { rows } = await bench.db.pool.query<{ lanes: number }>(
    `select count(*) as lanes from relay_lanes where leased_until > clock_timestamp() group by owner order by 1`,
  );
  return rows.map(({ lanes }) => lanes).join();
};
const shared = (lanes: string) => eventually(lanesOf, (seen) => seen === lanes, 40_000);

/** Has the database write down when members beat, and when lanes were taken that were free since when. */
const keepAccount = () =>
  bench.db.pool.query(
    `create table beats (member text, at timestamptz);
     create function note_beat() returns trigger language plpgsql as $$
       begin insert into beats values (new.member, new.seen_at); return new; end $$;
     create trigger note_beat after insert or update on relay_members for each row execute function note_beat();
     create table takings (before text, owner text, free_since timestamptz, at timestamptz);
     create function note_taking() returns trigger language plpgsql as $$
       begin
         insert into takings values (old.owner, new.owner, old.leased_until, new.leased_until - interval '${leaseMs} ms');
         return new;
       end $$;
     create trigger note_taking after update on relay_lanes for each row
       when (old.epoch <> new.epoch) execute function note_taking()`,
  );

/**
 * What was taken from `gone` was free a lease after its last beat and was taken by the next beat of whoever takes it: so
 * within a lease and the time between two beats of its death, however busy this machine is.
 */
async function expectTakenAtOnce(gone: string, lanes: number): Promise<void> {
  expect(leaseMs + beatMs).toBeLessThan(5_000);
  const { rows } = await bench.db.pool.query<{ leases: number; missed: number }>(
    `select extract(epoch from free_since - (select max(at) from beats where member = $1))::float8 * 1000 as leases,
       (select count(*) from beats b where member = owner and b.at >= free_since and b.at < t.at) as missed
     from takings t where before = $1 and owner <> $1 and free_since <> '-infinity'`,
    [gone],
  );
  expect(rows).toEqual(Array(lanes).fill({ leases: leaseMs, missed: 0 }));
}

const ownerOf = async (pid: number): Promise<string> =>
  (
    await bench.db.pool.query<{ member: string }>(
      `select member from relay_members where split_part(member, '/', 2) = $1`,
      [String(pid)],
    )
  ).rows[0]!.member;

test('share the lanes; those of one that is killed with a backlog are taken within 5 s', async () => {
  const facts = 40_000;
  await keepAccount();
  const relay = bench.relaying();
  await shared('8');
  const other = bench.mortal(0);
  await shared('4,4');
  const gone = await ownerOf(other.pid!);
  await bench.db.pool.query(
    `insert into outbox (topic, key, headers, value)
     select $1, 'key-' || n % 100, json_build_object('ce_sequence', (n / 100 + 1)::text), repeat('x', 400)
     from generate_series(0, $2::integer - 1) n`,
    [bench.topic, facts],
  );
  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(await bench.settled()).toBeLessThan(facts);
  await shared('8');
  await bench.allSettled();
  await expectTakenAtOnce(gone, 4);
  await relay.stop();
  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([...byKey.values()].map((s) => s.join())).toEqual(Array(100).fill(upTo(facts / 100).join()));
}, 120_000);

test('one that was frozen for longer than its lease swaps nothing when it wakes up', async () => {
  await keepAccount();
  const frozen = bench.mortal(0);
  await shared('8');
  const gone = await ownerOf(frozen.pid!);
  const keys = upTo(20).map((n) => `key-${n}`);
  const writing = (async () => {
    for (let i = 0; i < 1_000; i++) await record(bench.db.pool, bench.topic, keys[i % 20]!);
  })();
  await eventually(bench.settled, (n) => n > 20);
  frozen.kill('SIGSTOP');
  const relay = bench.relaying();
  await eventually(
    async () => (await bench.db.pool.query('select from takings where before = $1', [gone])).rowCount,
    (taken) => taken === 8,
  );
  await expectTakenAtOnce(gone, 8);
  await shared('8');
  await writing;
  await bench.allSettled();
  frozen.kill('SIGCONT');
  await shared('4,4');
  for (const key of keys) await record(bench.db.pool, bench.topic, key);
  await bench.allSettled();
  await relay.stop();
  frozen.kill('SIGKILL');
  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([...byKey.values()].map((s) => s.join())).toEqual(keys.map(() => upTo(51).join()));
}, 120_000);
