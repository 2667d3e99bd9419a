import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { runInbox } from '../../../platform/inbox';
import {
  createFactProducer,
  createKafka,
  createTopics,
  waitForCoordinator,
  type Kafka,
} from '../../../platform/kafka';
import { createLogger } from '../../../platform/log';
import {
  createPool,
  inboxMigrations,
  migrate,
  outboxMigrations,
  type Pool,
  type Tx,
} from '../../../platform/postgres';
import { runRelay } from '../../../platform/relay';
import type { Kept } from '../../stack/keep';
import { takeParts } from '../../stack/parts';
import { freePort, freePorts } from '../../stack/ports';
import { silent } from '../../stack/say';
import { startServer } from '../../stack/servers';
import { startKafka } from '../../stack/servers/kafka';
import { postgresUrl } from '../../stack/servers/postgres';
import { poisonedKey, poisonedSequence } from './load';

export interface HouseOptions {
  /** Everything of the servers lies below it; Postgres's own user must be able to get there. */
  readonly dataDir: string;
  /** One, or three with three copies of each record, two of which must have it before it counts. */
  readonly brokers: 1 | 3;
  /** Where all of Postgres's and of the brokers' lies, if not there. */
  readonly postgresDir?: string;
  readonly brokersDir?: string;
}

/** An outbox, a relay, Kafka and a consumer, on servers that may be killed. */
export interface House {
  readonly postgres: Kept;
  readonly brokers: readonly Kept[];
  readonly kafka: Kafka;
  /** Of whoever looks and writes: other connections than those of relay and consumer. */
  readonly pool: Pool;
  readonly topic: string;
  readonly group: string;
  stop(): Promise<void>;
}

const partitions = 6;

/** Starts the servers, and a relay and a consumer between them. */
export async function startHouse(options: HouseOptions): Promise<House> {
  const { dataDir } = options;
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ['POSTGRES_URL', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS']) delete env[name];
  const parts = await takeParts({ env, say: silent });
  const ports = await freePorts();
  const started: Kept[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
    await Promise.all(started.splice(0).map((server) => server.stop()));
  };
  try {
    const postgres = await startServer('postgres', {
      ...{ parts, ports, say: silent },
      dataDir: options.postgresDir ?? dataDir,
    });
    if (!postgres || !('java' in parts.kafka)) throw new Error('impossible: these servers are ours');
    started.push(postgres);
    const { addresses, brokers } = await startBrokers(options, parts.kafka, started);
    const kafka = createKafka({ brokers: addresses, clientId: 'faults' });
    await waitForCoordinator(kafka);
    const topic = 'things';
    const group = 'counting';
    const replicas = options.brokers;
    const config = { 'retention.ms': '-1', 'min.insync.replicas': String(Math.max(1, replicas - 1)) };
    await createTopics(kafka, [
      { topic, partitions, replicas, config },
      { topic: `${group}.dead-letter`, partitions: 1, replicas, config },
    ]);
    const url = postgresUrl(ports.postgres);
    await migrate(url, [outboxMigrations, inboxMigrations]);
    const pool = createPool(url, { applicationName: 'faults', max: 8 });
    stops.push(() => pool.end());
    await pool.query('create table aggregates (id text primary key, version integer not null default 0)');
    await pool.query(`create table effects (key text not null, sequence integer not null,
      place bigint generated always as identity)`);
    stops.push(startRelay(kafka, url), startConsumer(kafka, url, topic, group));
    return { postgres, brokers, kafka, pool, topic, group, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBrokers(
  { dataDir, brokers: count, brokersDir = dataDir }: HouseOptions,
  part: { readonly java: string; readonly jars: string },
  started: Kept[],
): Promise<{ addresses: string[]; brokers: Kept[] }> {
  const nodes = Array.from({ length: count }, (_, i) => i + 1);
  const ports = await Promise.all(nodes.map(() => freePort()));
  const controllerPorts: Record<number, number> = {};
  for (const node of nodes) controllerPorts[node] = await freePort();
  const id = randomBytes(16).toString('base64url').replace(/^-/, '0');
  const brokers = await Promise.all(
    nodes.map((node, i) =>
      startKafka({
        ...part,
        dataDir: join(brokersDir, `broker-${node}`),
        port: ports[i]!,
        controllerPort: controllerPorts[node]!,
        cluster: { id, node, controllerPorts },
        heapMb: 256,
        say: silent,
      }),
    ),
  );
  started.push(...brokers);
  await Promise.all(brokers.map((broker) => broker.untilReady()));
  return { addresses: ports.map((port) => `127.0.0.1:${port}`), brokers };
}

const log = createLogger('faults', 'silent');

function startRelay(kafka: Kafka, databaseUrl: string): () => Promise<void> {
  const stopping = new AbortController();
  const createProducer = () => createFactProducer(kafka, { log });
  const done = runRelay({ databaseUrl, database: 'faults', createProducer, signal: stopping.signal, log });
  return async () => {
    stopping.abort();
    await done;
  };
}

function startConsumer(kafka: Kafka, url: string, topic: string, group: string): () => Promise<void> {
  const stopping = new AbortController();
  const pool = createPool(url, { applicationName: 'consumer', max: 6 });
  const handle = async (tx: Tx, facts: readonly { key: string; sequence: number }[]): Promise<void> => {
    if (facts.some(({ key, sequence }) => key === poisonedKey && sequence === poisonedSequence))
      throw new Error('this one cannot be applied');
    await tx.query('insert into effects (key, sequence) select * from unnest($1::text[], $2::integer[])', [
      facts.map(({ key }) => key),
      facts.map(({ sequence }) => sequence),
    ]);
  };
  const done = runInbox({ group, topics: [topic], pool, kafka, handle, signal: stopping.signal, log });
  return async () => {
    stopping.abort();
    await done.finally(() => pool.end());
  };
}
