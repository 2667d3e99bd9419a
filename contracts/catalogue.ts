import type { z } from 'zod';
import { driverFacts } from './facts/drivers';
import { firstVersions } from './facts/first';
import {
  disputeFacts,
  paymentFacts,
  payoutAccountFacts,
  payoutFacts,
  reconciliationFacts,
} from './facts/payments';
import { pricingFacts } from './facts/pricing';
import { ratingFacts } from './facts/ratings';
import { rideFacts } from './facts/rides';

/** The topics by domain; facts are kept for ever, positions are telemetry and kept for an hour. */
export const topics = [
  { name: 'rides', partitions: 6, retentionMs: -1 },
  { name: 'payments', partitions: 6, retentionMs: -1 },
  { name: 'drivers', partitions: 6, retentionMs: -1 },
  { name: 'pricing', partitions: 6, retentionMs: -1 },
  { name: 'ratings', partitions: 6, retentionMs: -1 },
  { name: 'driver-positions', partitions: 6, retentionMs: 3_600_000 },
] as const;

export type FactTopic = Exclude<(typeof topics)[number]['name'], 'driver-positions'>;

export interface CatalogueEntry {
  readonly type: string;
  readonly version: number;
  readonly topic: FactTopic;
  /** What the Kafka key and `ce_subject` are. */
  readonly key: string;
  /** The service whose database commits it. */
  readonly owner: string;
  /** Consumers that act on it. Audit takes everything. */
  readonly consumers: readonly string[];
  readonly schema: z.ZodType;
}

interface Family {
  readonly topic: FactTopic;
  readonly key: string;
  readonly owner: string;
  readonly consumers: readonly string[];
  readonly facts: Record<string, z.ZodType>;
}

const families: readonly Family[] = [
  {
    topic: 'rides',
    key: 'rideId',
    owner: 'rides',
    consumers: ['analytics', 'audit', 'notifications'],
    facts: rideFacts,
  },
  {
    topic: 'payments',
    key: 'rideId',
    owner: 'payments',
    consumers: ['audit', 'notifications'],
    facts: paymentFacts,
  },
  {
    topic: 'payments',
    key: 'disputeId',
    owner: 'payments',
    consumers: ['audit', 'notifications'],
    facts: disputeFacts,
  },
  {
    topic: 'payments',
    key: 'payoutId',
    owner: 'payments',
    consumers: ['audit', 'notifications'],
    facts: payoutFacts,
  },
  {
    topic: 'payments',
    key: 'payout-account-<driverId>',
    owner: 'payments',
    consumers: ['audit', 'notifications'],
    facts: payoutAccountFacts,
  },
  { topic: 'payments', key: 'runId', owner: 'payments', consumers: ['audit'], facts: reconciliationFacts },
  { topic: 'drivers', key: 'driverId', owner: 'rides', consumers: ['audit'], facts: driverFacts },
  { topic: 'pricing', key: 'quoteId', owner: 'pricing', consumers: ['audit'], facts: pricingFacts },
  { topic: 'ratings', key: 'ratingId', owner: 'rides', consumers: ['audit'], facts: ratingFacts },
];

/**
 * Every version of every fact there is, the newest of each last: AsyncAPI, docs and compatibility tests come from it.
 */
export const catalogue: readonly CatalogueEntry[] = families.flatMap(({ facts, ...family }) =>
  Object.entries(facts).flatMap(([type, schema]) => {
    const older = Object.hasOwn(firstVersions, type)
      ? [firstVersions[type as keyof typeof firstVersions]]
      : [];
    return [...older, schema].map((each, i) => ({ ...family, type, version: i + 1, schema: each }));
  }),
);

type Schemas = typeof rideFacts &
  typeof paymentFacts &
  typeof disputeFacts &
  typeof payoutFacts &
  typeof payoutAccountFacts &
  typeof reconciliationFacts &
  typeof driverFacts &
  typeof pricingFacts &
  typeof ratingFacts;

export type FactType = keyof Schemas;
export type FactData<T extends FactType> = z.infer<Schemas[T]>;

const entries = new Map(catalogue.map((entry) => [entry.type, entry]));

/**
 * Where a fact goes: its topic, and the version of its schema.
 * @throws Error for a fact that is not in the catalogue
 */
export function factAddress(type: string, topicPrefix: string): { topic: string; schemaVersion: number } {
  const entry = factEntry(type);
  if (entry === undefined) throw new Error(`impossible: ${type} is not in the catalogue`);
  return { topic: topicPrefix + entry.topic, schemaVersion: entry.version };
}

/** The catalogue's newest entry for a fact, or undefined for a fact that this version does not know. */
export const factEntry = (type: string): CatalogueEntry | undefined => entries.get(type);
