import { join } from 'node:path';
import { createPool, inboxMigrations } from '../../../platform/postgres';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, rounded, spreadOf, type BenchResult, type Metrics } from '../frame';
import type { BenchOptions } from '../options';
import { benchDatabase, checkDurability, startBenchServers, type BenchServers } from '../servers';
import { effectTable, makeLog, totalsOf } from './facts';
import { runWorker } from './lives';
import { prepareLog, type PreparedLog } from './log';
import type { WorkerOrder } from './worker';

/** So many that the second which a kill and a new start cost is a small part. */
const FACTS_A_ROUND = 900_000;
/** An event a transaction is that much slower, so it gets that much less to do. */
const PER_EVENT_PART = 75;
/** What is to be reached. */
const LEAST_TO_PER_EVENT = 50;
const LEAST_TO_FLOOR = 0.8;

const workerModule = join(__dirname, 'worker.js');

type Contestant = WorkerOrder['contestant'];

/**
 * Facts that lie in Kafka, some of them twice, added up in Postgres: an event a transaction, with a table of those that
 * were processed (one after another, as kafkajs does by itself, and of all partitions at once); by Hailway's inbox, which is killed half way and started again; and in Hailway's batches with nothing
 * that keeps an effect from happening twice. Each in a process of its own. The clock runs while the process has the
 * partitions: that Kafka gives a killed member's only to the next when its session is over is told beside
 * (`killToFactsMs`).
 */
export async function benchInbox(
  { rounds, size = FACTS_A_ROUND }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const servers = await say.during('Starting postgres, kafka', () =>
    startBenchServers(['postgres', 'kafka'], say),
  );
  const checks = new Checks();
  try {
    await checkDurability(servers, checks);
    const [long, short] = await say.during(
      `Filling the log with ${size} facts`,
      async () =>
        [
          await fillLog(servers, 'bench.long', size),
          await fillLog(servers, 'bench.short', Math.ceil(size / PER_EVENT_PART)),
        ] as const,
    );
    let round = 0;
    const awayMs: number[] = [];
    const keptBytes = new Map<Contestant, number>();
    const contestant = (name: Contestant, log: FilledLog) => async (): Promise<Metrics> => {
      const ground = await prepareDatabase(servers, `inbox_${(round += 1)}`);
      try {
        const order: WorkerOrder = {
          ...{ contestant: name, brokers: [servers.kafkaBroker], databaseUrl: ground.url },
          ...{ group: `bench-${round}`, topic: log.topic, ends: log.ends },
        };
        const run = await runWorker(workerModule, order, { killAt: name === 'hailway' ? 0.5 : null });
        if (run.awayMs !== null) awayMs.push(run.awayMs);
        await judge(ground.url, name, log, checks);
        keptBytes.set(name, (await ground.keptBytes()) / log.facts);
        return {
          factsPerSecond: (log.facts * 1_000) / run.workMs,
          ...(name === 'hailway' ? {} : { cpuUsPerFact: (run.cpuMs * 1_000) / log.facts }),
        };
      } finally {
        await ground.drop();
      }
    };
    const seen = await inRounds(
      {
        perEvent: contestant('perEvent', short),
        perEventAtOnce: contestant('perEventAtOnce', short),
        hailway: contestant('hailway', long),
        floor: contestant('floor', long),
      },
      rounds,
      (text) => say.line(text),
    );
    const ratios = {
      ...ratiosTo('perEvent', seen),
      ...ratiosTo('perEventAtOnce', seen),
      ...ratiosTo('floor', seen),
    };
    checks.note(
      `atLeast${LEAST_TO_PER_EVENT}TimesPerEvent`,
      ratios['hailway/perEvent']! >= LEAST_TO_PER_EVENT,
    );
    checks.note('atLeastFourFifthsOfTheFloor', ratios['hailway/floor']! >= LEAST_TO_FLOOR);
    return {
      ...{ bench: 'inbox', rounds, contestants: seen, ratios },
      figures: {
        bytesPerFact: long.bytesPerFact,
        repeatsPercent: rounded((100 * long.repeats) / long.facts),
        killToFactsMs: spreadOf(awayMs).median,
        keptBytesPerFactHailway: rounded(keptBytes.get('hailway') ?? NaN),
        keptBytesPerFactPerEvent: rounded(keptBytes.get('perEvent') ?? NaN),
      },
      checks: checks.all,
    };
  } finally {
    await servers.stop();
  }
}

/** With what its facts add up to, each counted once, and as often as it comes. */
type FilledLog = PreparedLog & Readonly<Record<'totals' | 'totalsWithRepeats', Map<string, string>>>;

async function fillLog(servers: BenchServers, topic: string, facts: number): Promise<FilledLog> {
  const log = makeLog(topic, facts);
  const once = new Map(log.records.map((record) => [record.headers['ce_id'], record])).values();
  return {
    ...{ totals: totalsOf(once), totalsWithRepeats: totalsOf(log.records) },
    ...(await prepareLog(servers, log)),
  };
}

/** A new database with the tables of all contestants. */
async function prepareDatabase(servers: BenchServers, name: string) {
  const database = await benchDatabase(servers, name, [inboxMigrations]);
  const pool = createPool(database.url, { applicationName: 'bench', max: 1 });
  await pool.query(`${effectTable};
    create table processed_events (event_id text primary key, at timestamptz not null default now())`);
  // So that no contestant pays for what was written before it.
  await pool.query('checkpoint');
  return {
    url: database.url,
    /** What keeps effects from happening twice. */
    async keptBytes(): Promise<number> {
      const { rows } = await pool.query<{ bytes: number }>(
        `select (pg_total_relation_size('inbox_sequences') + pg_total_relation_size('inbox_positions')
           + pg_total_relation_size('processed_events'))::bigint as bytes`,
      );
      return rows[0]!.bytes;
    },
    async drop(): Promise<void> {
      await pool.end();
      await database.drop();
    },
  };
}

/** Each ride has what its facts add up to: of each fact once, and of the floor, which knows no better, as often as it came. */
async function judge(url: string, name: Contestant, log: FilledLog, checks: Checks): Promise<void> {
  const pool = createPool(url, { applicationName: 'bench', max: 1 });
  const { rows } = await pool.query<{ id: string; total: string }>(
    `select ride_id::text as id, facts || ' ' || minor as total from ride_totals`,
  );
  await pool.end();
  const wanted = name === 'floor' ? log.totalsWithRepeats : log.totals;
  const isExact = rows.length === wanted.size && rows.every(({ id, total }) => wanted.get(id) === total);
  checks.note(name === 'floor' ? 'floorCountsRepeats' : `${name}IsExact`, isExact);
}
