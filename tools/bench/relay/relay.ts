import { createKafka, createTopics } from '../../../platform/kafka';
import { createPool, outboxMigrations, type Pool } from '../../../platform/postgres';
import { outboxChannel } from '../../../platform/relay/tell';
import { wait } from '../../../platform/wait';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, rounded, type BenchResult, type Metrics } from '../frame';
import type { BenchOptions } from '../options';
import { benchDatabase, checkDurability, startBenchServers } from '../servers';
import { timed, type Watch } from './contest';
import { fill, KEYS, makeFacts, PARTITIONS, WARM_UP } from './facts';
import { measureInsertCost } from './insertCost';
import { readLogOrder } from '../../logOrder';
import { measureLatency } from './latency';

const FACTS_A_ROUND = 200_000;
/** Transactions that are open at once, each with the facts of its own keys. */
const WRITERS = 20;
/** The naive relay is that much slower, so it gets that much less to do. */
const NAIVE_PART = 40;
const log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };

/** What a contestant finds when it starts, and its watch. */
type Prepare = (topic: string, count: number) => Promise<Watch & { databaseUrl?: string }>;

/**
 * Facts that lie in an outbox, moved to Kafka by a naive relay (SKIP LOCKED, one send, one update) and by Hailway's;
 * the same records sent out of memory by one plain producer, batch after batch, and by one with our encoder.
 */
export async function benchRelay(
  { rounds, size = FACTS_A_ROUND }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const servers = await say.during('Starting postgres, kafka', () =>
    startBenchServers(['postgres', 'kafka'], say),
  );
  const kafka = createKafka({ brokers: [servers.kafkaBroker], clientId: 'bench', log });
  const checks = new Checks();
  let round = 0;
  let deadTuples = 0;
  const contestant =
    (file: string, name: string, count: number, prepare: Prepare = () => Promise.resolve({})) =>
    async (): Promise<Metrics> => {
      const topic = `bench.${name}.${(round += 1)}`;
      await createTopics(kafka, [{ topic, partitions: PARTITIONS, config: { 'retention.ms': '-1' } }]);
      const { databaseUrl = '', ...watch } = await prepare(topic, count);
      const told = { kafkaBroker: servers.kafkaBroker, databaseUrl, topic, count };
      const { seconds, peakMb } = await timed({ file, name }, told, watch);
      const { distinct, outOfOrder } = await readLogOrder(kafka, topic);
      checks.note(`${name}LosesNothing`, distinct === count);
      checks.note(`${name}KeepsTheOrder`, outOfOrder.length === 0);
      return { factsPerSecond: count / seconds, peakMb };
    };
  const database = async (): Promise<{ pool: Pool; url: string }> => {
    const { url } = await benchDatabase(servers, `bench_${(round += 1)}`, [outboxMigrations]);
    return {
      url,
      pool: createPool(url, {
        ...{ applicationName: 'bench', statementTimeoutMs: 120_000, max: WRITERS + 2 },
      }),
    };
  };
  const ofNaive: Prepare = async (topic, count) => {
    const { pool, url } = await database();
    await pool.query(`create table naive_outbox (id bigint generated always as identity primary key, topic text,
      key text, headers jsonb, value text, sent boolean not null default false)`);
    await fill(pool, 'naive_outbox', makeFacts(topic, count));
    await pool.query('vacuum analyze naive_outbox');
    await pool.end();
    return { databaseUrl: url };
  };
  const ofHailway: Prepare = async (topic, count) => {
    const { pool, url } = await database();
    const facts = makeFacts(topic, count);
    const writers = await Promise.all(Array.from({ length: WRITERS }, () => pool.connect()));
    for (const [n, writer] of writers.entries()) {
      await writer.query('begin');
      // Whoever writes a key's facts has its row's lock.
      await fill(
        writer,
        'outbox',
        facts.filter((_fact, i) => (i % KEYS) % WRITERS === n),
      );
    }
    await createTopics(kafka, [{ topic: `${topic}.warm`, partitions: PARTITIONS }]);
    await fill(pool, 'outbox', makeFacts(`${topic}.warm`, WARM_UP));
    return {
      databaseUrl: url,
      async start() {
        await Promise.all(writers.map((writer) => writer.query('commit')));
        await writers[0]!.query(`notify ${outboxChannel}`);
        for (const writer of writers) writer.release();
      },
      async end() {
        await untilMoved(pool, count + WARM_UP);
        const { inserted, changed, dead } = await outboxCounts(pool, count + WARM_UP);
        checks.note('noDeadTuples', inserted === count + WARM_UP && changed === 0 && dead === 0);
        deadTuples = Math.max(deadTuples, dead);
        await pool.end();
      },
    };
  };
  try {
    await checkDurability(servers, checks);
    const contestants = {
      naive: contestant('baselines', 'naive', Math.ceil(size / NAIVE_PART), ofNaive),
      hailway: contestant('house', 'hailway', size, ofHailway),
      ceiling: contestant('baselines', 'ceiling', size),
      ownClient: contestant('house', 'ownClient', size),
    };
    const seen = await inRounds(contestants, rounds, (text) => say.line(text));
    const { pool: quiet, url: databaseUrl } = await database();
    await createTopics(kafka, [{ topic: 'bench.latency', partitions: PARTITIONS }]);
    const latency = await say.during('The latency at 200 facts a second', () =>
      measureLatency({ pool: quiet, databaseUrl, kafka, log }, 'bench.latency'),
    );
    const cost = await say.during('What the row costs its transaction', () => measureInsertCost(quiet));
    await quiet.end();
    const ratios = { ...ratiosTo('naive', seen), ...ratiosTo('ceiling', seen) };
    checks.note('atLeast40TimesNaive', ratios['hailway/naive']! >= 40);
    checks.note('atLeastTheCeiling', ratios['hailway/ceiling']! >= 1);
    checks.note('halfInKafkaWithin10Ms', latency.p50Ms <= 10);
    checks.note('of100InKafka99Within50Ms', latency.p99Ms <= 50);
    return {
      ...{ bench: 'relay', rounds, contestants: seen, ratios },
      figures: {
        commitToKafkaP50Ms: rounded(latency.p50Ms),
        commitToKafkaP99Ms: rounded(latency.p99Ms),
        commitToKafkaMaxMs: rounded(latency.maxMs),
        deadTuples,
        transactionsPerSecondWithoutFact: rounded(cost.without.median),
        transactionsPerSecondWithFact: rounded(cost.with.median),
      },
      checks: checks.all,
    };
  } finally {
    await servers.stop();
  }
}

/** Positions move behind what Kafka has. */
async function untilMoved(pool: Pool, count: number): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ facts: number }>(
      'select sum(facts)::bigint as facts from relay_lanes',
    );
    if (rows[0]!.facts >= count) return;
    await wait(20);
  }
}

/** What Postgres has counted in the outbox, once it has counted all that was inserted: it does so a little later. */
async function outboxCounts(
  pool: Pool,
  expected: number,
): Promise<{ inserted: number; changed: number; dead: number }> {
  for (let looks = 0; ; looks += 1) {
    const { rows } = await pool.query<{ inserted: number; changed: number; dead: number }>(
      `select sum(n_tup_ins)::bigint as inserted, sum(n_tup_upd + n_tup_del)::bigint as changed,
         sum(n_dead_tup)::bigint as dead
       from pg_stat_user_tables where relname like 'outbox%'`,
    );
    if (rows[0]!.inserted === expected || looks > 500) return rows[0]!;
    await wait(20);
  }
}
