import { runInbox } from '../../../platform/inbox';
import { createFactProducer, createKafka, createTopics, type Kafka } from '../../../platform/kafka';
import { createLogger } from '../../../platform/log';
import { createPool, migrate, outboxMigrations, type Pool } from '../../../platform/postgres';
import { runRelay } from '../../../platform/relay';
import { things } from './things';

/** Where facts are committed, relayed and consumed. */
export interface Site {
  readonly databaseUrl: string;
  /** host:port of each */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly group: string;
}

/** A site with the connections of who looks and writes: others than those of relay and consumer. */
export interface OpenSite extends Site {
  readonly kafka: Kafka;
  readonly pool: Pool;
}

export const partitions = 6;
export const log = createLogger('faults', 'silent');

export const deadLetterTopic = ({ group }: Pick<Site, 'group'>): string => `${group}.dead-letter`;

export const openSite = (site: Site): OpenSite => ({
  ...site,
  kafka: createKafka({ brokers: [...site.brokers], clientId: 'faults' }),
  pool: createPool(site.databaseUrl, { applicationName: 'faults', max: 8 }),
});

/** Makes the tables of writer and consumer. */
export async function prepareDatabase(databaseUrl: string): Promise<void> {
  await migrate(databaseUrl, [outboxMigrations, ...things.migrations]);
  const pool = createPool(databaseUrl, { applicationName: 'faults', max: 1 });
  await pool
    .query('create table aggregates (id text primary key, version integer not null default 0)')
    .finally(() => pool.end());
}

export async function prepareTopics({ kafka, ...site }: OpenSite): Promise<void> {
  const replicas = Math.min(3, site.brokers.length);
  const config = { 'retention.ms': '-1', 'min.insync.replicas': String(Math.max(1, replicas - 1)) };
  await createTopics(kafka, [
    { topic: site.topic, partitions, replicas, config },
    { topic: deadLetterTopic(site), partitions: 1, replicas, config },
  ]);
}

/** Something that runs until it is stopped, which waits for what it has in hand. */
export type Stop = () => Promise<void>;

const until = (work: (signal: AbortSignal) => Promise<void>): Stop => {
  const stopping = new AbortController();
  const done = work(stopping.signal);
  return () => {
    stopping.abort();
    return done;
  };
};

export const startRelay = ({ databaseUrl, brokers }: Site): Stop =>
  until((signal) => {
    const kafka = createKafka({ brokers: [...brokers], clientId: 'relay' });
    const createProducer = () => createFactProducer(kafka, { log });
    return runRelay({ databaseUrl, database: 'faults', kafka, createProducer, signal, log });
  });

/** @param onAssigned told after each joining of the group which partitions are its own */
export const startConsumer = (
  { databaseUrl, brokers, topic, group }: Site,
  onAssigned: (assigned: readonly number[]) => void = () => {},
): Stop =>
  until(async (signal) => {
    const pool = createPool(databaseUrl, { applicationName: 'consumer', max: partitions + 1 });
    const kafka = createKafka({ brokers: [...brokers], clientId: 'consumer' });
    await runInbox({
      ...{ group, topics: [topic], pool, kafka, handle: things.handle, signal, log },
      concurrency: partitions,
      observer: {
        assigned: (assigned) => onAssigned(assigned[topic] ?? []),
        ...{ restarted: () => {}, settled: () => {}, failed: () => {}, left: () => {} },
        during: (_batch, work) => work(),
      },
    }).finally(() => pool.end());
  });
