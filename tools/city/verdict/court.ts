import { scalePolicies, standardPolicies } from '../../../domain/policies';
import { createKafka, type Kafka } from '../../../platform/kafka';
import { createPool } from '../../../platform/postgres';
import type { VerdictDatabase, VerdictInputs } from '../options';
import type { ConsumerState, Evidence, WhatWasTold } from './evidence';
import { consumerProgress, loadKafka } from './load/kafka';
import { appliedFacts, appliers, loadPostgres, postsToMake, unfinished, type Pools } from './load/postgres';
import { loadProvider } from './load/provider';

/** Connections to what the processes under test have written; none to the processes. */
export interface Court {
  /** Rides that have not ended, whoever requested them. */
  liveRides(): Promise<readonly string[]>;
  /** What is not settled, published or applied yet. */
  unsettled(told: Pick<WhatWasTold, 'webhooks'>): Promise<readonly string[]>;
  /** For the screen: facts recorded so far, and by consumer the records to go. */
  gauges(): Promise<{ facts: number; lag: Readonly<Record<string, number>> }>;
  /** `speed`: the city's, by which the policies went. */
  load(told: WhatWasTold, speed: number): Promise<Evidence>;
  close(): Promise<void>;
}

export function openCourt({ databaseUrls, kafka: address, topicPrefix, pspUrl }: VerdictInputs): Court {
  const pools = Object.fromEntries(
    Object.entries(databaseUrls).map(([name, url]) => [
      name,
      createPool(url, { applicationName: 'verdict', max: 1, statementTimeoutMs: 60_000 }),
    ]),
  ) as Record<VerdictDatabase, Pools[VerdictDatabase]>;
  const kafka = createKafka({ ...address, clientId: 'verdict' });

  return {
    async liveRides() {
      const { liveRides } = await unfinished(pools);
      return liveRides > 0 ? [`${liveRides} rides to end`] : [];
    },
    async unsettled({ webhooks }) {
      const [{ facts, relayed, unsettledPayments }, progress, posts] = await Promise.all([
        unfinished(pools),
        consumerProgress(kafka, topicPrefix),
        postsToMake(pools, webhooks),
      ]);
      const left = unsettledPayments > 0 ? [`${unsettledPayments} payments to settle`] : [];
      if (posts > 0) left.push(`${posts} posts to webhooks`);
      if (relayed < facts) left.push(`${facts - relayed} facts to reach Kafka`);
      for (const [consumer, { lag }] of Object.entries(progress)) {
        if (lag > 0) left.push(`${lag} records to reach ${consumer}`);
      }
      return left;
    },
    async gauges() {
      const [{ facts }, progress] = await Promise.all([
        unfinished(pools),
        consumerProgress(kafka, topicPrefix),
      ]);
      return {
        facts,
        lag: Object.fromEntries(Object.entries(progress).map(([name, { lag }]) => [name, lag])),
      };
    },
    async load(told, speed) {
      const [fromPostgres, fromKafka, fromProvider, consumers] = await Promise.all([
        loadPostgres(pools, topicPrefix),
        loadKafka(kafka, topicPrefix),
        loadProvider(pspUrl),
        loadConsumers(pools, kafka, topicPrefix),
      ]);
      const policies = scalePolicies(standardPolicies, speed);
      return { ...told, policies, ...fromPostgres, ...fromKafka, ...fromProvider, consumers };
    },
    async close() {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
    },
  };
}

async function loadConsumers(
  pools: Pools,
  kafka: Kafka,
  topicPrefix: string,
): Promise<Record<string, ConsumerState>> {
  const progress = await consumerProgress(kafka, topicPrefix);
  const consumers: Record<string, ConsumerState> = {};
  for (const [name, { lag, taken }] of Object.entries(progress)) {
    const database = appliers.find((applier) => applier === name);
    // Location keeps nothing in a database: what it has taken is what it has applied.
    consumers[name] = { applied: database ? await appliedFacts(pools, database) : taken, lag };
  }
  return consumers;
}
