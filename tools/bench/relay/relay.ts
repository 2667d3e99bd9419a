import { createKafka, createTopics } from '../../../platform/kafka';
import { createPool, migrate, outboxMigrations, type Pool } from '../../../platform/postgres';
import { outboxChannel } from '../../../platform/outbox';
import { wait } from '../../../platform/wait';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, rounded, type BenchResult, type Metrics } from '../frame';
import type { BenchOptions } from '../options';
import { startBenchServers } from '../servers';
import { timed, type Watch } from './contest';
import { fill, makeFacts, PARTITIONS, WARM_UP } from './facts';
import { measureInsertCost } from './insertCost';
import { judgeTopic } from './judge';
import { measureLatency } from './latency';

const FACTS_A_ROUND = 200_000;
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
  const contestant =
    (file: string, name: string, count: number, prepare: Prepare = () => Promise.resolve({})) =>
    async (): Promise<Metrics> => {
      const topic = `bench.${name}.${(round += 1)}`;
      await createTopics(kafka, [{ topic, partitions: PARTITIONS, config: { 'retention.ms': '-1' } }]);
      const { databaseUrl = '', ...watch } = await prepare(topic, count);
      const told = { kafkaBroker: servers.kafkaBroker, databaseUrl, topic, count };
      const seconds = await timed({ file, name }, told, watch);
      const { lost, outOfOrder } = await judgeTopic(kafka, topic, count);
      checks.note(`${name}LosesNothing`, lost === 0);
      checks.note(`${name}KeepsTheOrder`, outOfOrder === 0);
      return { factsPerSecond: count / seconds };
    };
  const database = async (): Promise<{ pool: Pool; url: string }> => {
    const name = `bench_${(round += 1)}`;
    const admin = createPool(servers.postgresUrl, { applicationName: 'bench', max: 1 });
    await admin.query(`create database ${name}`);
    await admin.end();
    const url = new URL(servers.postgresUrl);
    url.pathname = `/${name}`;
    await migrate(url.href, [outboxMigrations]);
    return {
      url: url.href,
      pool: createPool(url.href, { applicationName: 'bench', statementTimeoutMs: 120_000 }),
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
    const writer = await pool.connect();
    await writer.query('begin');
    await fill(writer, 'outbox', makeFacts(topic, count));
    await createTopics(kafka, [{ topic: `${topic}.warm`, partitions: PARTITIONS }]);
    await fill(pool, 'outbox', makeFacts(`${topic}.warm`, WARM_UP));
    return {
      databaseUrl: url,
      async start() {
        await writer.query('commit');
        await pool.query(`notify ${outboxChannel}`);
        writer.release();
      },
      async end() {
        await untilMoved(pool, count + WARM_UP);
        const { rows } = await pool.query<{ changed: number; dead: number }>(
          `select sum(n_tup_upd + n_tup_del)::bigint as changed, sum(n_dead_tup)::bigint as dead
           from pg_stat_user_tables where relname like 'outbox%'`,
        );
        checks.note('noDeadTuples', rows[0]!.dead === 0 && rows[0]!.changed === 0);
        await pool.end();
      },
    };
  };
  try {
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
    return {
      bench: 'relay',
      rounds,
      contestants: seen,
      ratios: { ...ratiosTo('naive', seen), ...ratiosTo('ceiling', seen) },
      figures: {
        commitToKafkaP50Ms: rounded(latency.p50Ms),
        commitToKafkaP99Ms: rounded(latency.p99Ms),
        transactionsPerSecondWithoutFact: rounded(cost.without),
        transactionsPerSecondWithFact: rounded(cost.with),
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
