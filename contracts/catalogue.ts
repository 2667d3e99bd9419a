import type { z } from 'zod';
import { consumers, reads, type ConsumerName } from './consumers';
import { earlierVersions } from './facts/earlier';
import { families } from './families';
import { topics, type FactTopic } from './topics';

export { topics, type FactTopic };

export interface CatalogueEntry {
  readonly type: string;
  readonly version: number;
  /** What the type begins with. */
  readonly family: string;
  readonly topic: FactTopic;
  /** What the Kafka key and `ce_subject` are. */
  readonly key: string;
  /** The service whose database commits it. */
  readonly owner: string;
  /** Consumers that act on it. */
  readonly consumers: readonly ConsumerName[];
  readonly schema: z.ZodType;
  /** Where a newer version follows: what that changed, and how its data are made of this one's. */
  readonly next: { readonly changed: string; readonly upcast: (data: unknown) => unknown } | null;
}

/**
 * Every version of every fact there is, the newest of each last: AsyncAPI, docs and compatibility tests come from it.
 */
export const catalogue: readonly CatalogueEntry[] = families.flatMap(({ name, topic, key, owner, facts }) =>
  Object.entries<z.ZodType>(facts).flatMap(([type, schema]) => {
    const versions = [
      ...(earlierVersions[type] ?? []).map((version) => ({ schema: version.schema, next: version })),
      { schema, next: null },
    ];
    const readers = (Object.keys(consumers) as ConsumerName[]).filter((consumer) => reads(consumer, type));
    const entry = { type, family: name, topic, key, owner, consumers: readers };
    return versions.map((version, i) => ({ ...entry, ...version, version: i + 1 }));
  }),
);

const versionsOf = new Map<string, CatalogueEntry[]>();
for (const entry of catalogue) versionsOf.set(entry.type, [...(versionsOf.get(entry.type) ?? []), entry]);

/** The catalogue's newest entry for a fact, or undefined for a fact that this version does not know. */
export const factEntry = (type: string): CatalogueEntry | undefined => versionsOf.get(type)?.at(-1);

/** Every version of a fact, the newest last; none of a fact that this version does not know. */
export const factVersions = (type: string): readonly CatalogueEntry[] => versionsOf.get(type) ?? [];

const bySchema = new Map(catalogue.map((entry) => [`${entry.type}.v${entry.version}`, entry]));

/** The entry that a `dataschema` (`ride.requested.v1`) names; undefined for one that this version does not know. */
export const entryOfSchema = (dataschema: string): CatalogueEntry | undefined => bySchema.get(dataschema);

/** The topics that a consumer reads, without a prefix. */
export const topicsRead = (consumer: ConsumerName): FactTopic[] => [
  ...new Set(catalogue.flatMap((entry) => (entry.consumers.includes(consumer) ? [entry.topic] : []))),
];
