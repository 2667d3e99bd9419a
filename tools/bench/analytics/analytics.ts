import { join } from 'node:path';
import { analytics } from '../../../consumers/analytics/projection';
import { createPool, type Pool } from '../../../platform/postgres';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, rounded, spreadOf, type BenchResult, type Metrics } from '../frame';
import { runWorker } from '../inbox/lives';
import { prepareLog } from '../inbox/log';
import type { BenchOptions } from '../options';
import { benchDatabase, checkDurability, startBenchServers } from '../servers';
import { endedChildrenCpuMs } from './endedChildren';
import { makeCityLog } from './facts';
import type { WorkerOrder } from './worker';

/** As many as `bench inbox` reads: two lives of a process, each of which has to warm up, are in it. */
const FACTS_A_ROUND = 900_000;
/** A fact a transaction is so much slower that it gets that much less to do: 6,000. */
const NAIVE_PART = 150;
/** What is to be reached, by one process. */
const LEAST_PER_SECOND = 50_000;

/**
 * A city's facts that lie in Kafka, some of them twice, counted by analytics: a fact a transaction, and in Hailway's
 * batches, by a process that is killed half way and started again. Each figure of each round is held against what the
 * facts were made up as.
 *
 * `factsPerSecond` is by the seconds in which a process has the partitions, until the effects of all facts are committed. The
 * seconds between the kill and the next process's partitions are none of them: they are Kafka's session of the killed one,
 * whatever is read, and are told beside (`killToFactsMs`); nobody kills the other contestant. `cores` is the CPU time of the
 * contestant's processes for each of these seconds. All that they ever take is in it, their starts and what the second does
 * while it waits for the partitions too: so it is rather too high. Of Postgres and Kafka, on the same cores, nothing is in it.
 */
export async function benchAnalytics(
  { rounds, size = FACTS_A_ROUND }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const servers = await say.during('Starting postgres, kafka', () =>
    startBenchServers(['postgres', 'kafka'], say),
  );
  const checks = new Checks();
  try {
    await checkDurability(servers, checks);
    const logOf = async (topic: string, facts: number) => {
      const { wanted, ...made } = await makeCityLog(topic, facts);
      return { wanted, ...(await prepareLog(servers, made)) };
    };
    const logs = await say.during(`Filling the log with ${size} facts`, async () => ({
      hailway: await logOf('bench.long', size),
      naive: await logOf('bench.short', Math.ceil(size / NAIVE_PART)),
    }));
    let round = 0;
    const seen = { bytesPerCell: 0, cells: 0, awayMs: [] as number[] };
    const contestant = (name: WorkerOrder['contestant']) => async (): Promise<Metrics> => {
      const log = logs[name];
      const ground = await benchDatabase(servers, `analytics_${(round += 1)}`, analytics.migrations);
      const pool = createPool(ground.url, { applicationName: 'bench', max: 1 });
      await pool.query('create table processed_events (event_id text primary key); checkpoint');
      try {
        const order: WorkerOrder = {
          ...{ contestant: name, brokers: [servers.kafkaBroker], databaseUrl: ground.url },
          ...{ group: `bench-${round}`, topic: log.topic, ends: log.ends },
        };
        const beforeMs = endedChildrenCpuMs();
        const run = await runWorker(join(__dirname, 'worker.js'), order, {
          killAt: name === 'hailway' ? 0.5 : null,
        });
        const cpuMs = endedChildrenCpuMs() - beforeMs;
        checks.note(`${name}IsExact`, await log.wanted.isHeldBy(pool));
        if (run.awayMs !== null) seen.awayMs.push(run.awayMs);
        if (name === 'hailway') Object.assign(seen, await sizeOfCells(pool));
        return { factsPerSecond: (log.facts * 1_000) / run.workMs, cores: cpuMs / run.workMs };
      } finally {
        await pool.end();
        await ground.drop();
      }
    };
    const contestants = { naive: contestant('naive'), hailway: contestant('hailway') };
    const found = await inRounds(contestants, rounds, (text) => say.line(text));
    checks.note(
      `atLeast${LEAST_PER_SECOND}FactsPerSecond`,
      found['hailway']!['factsPerSecond']!.median >= LEAST_PER_SECOND,
    );
    return {
      ...{ bench: 'analytics', rounds, contestants: found, ratios: ratiosTo('naive', found) },
      figures: {
        bytesPerCell: rounded(seen.bytesPerCell),
        cellMinutes: seen.cells,
        bytesPerFact: logs.hailway.bytesPerFact,
        killToFactsMs: spreadOf(seen.awayMs).median,
      },
      checks: checks.all,
    };
  } finally {
    await servers.stop();
  }
}

/** What a cell takes for a minute in which something happened, index and all. */
async function sizeOfCells(pool: Pool): Promise<{ bytesPerCell: number; cells: number }> {
  const { rows } = await pool.query<{ bytes: number; cells: number }>(
    `select pg_total_relation_size('demand')::bigint as bytes, count(*) as cells from demand`,
  );
  const { bytes, cells } = rows[0]!;
  return { bytesPerCell: bytes / cells, cells };
}
