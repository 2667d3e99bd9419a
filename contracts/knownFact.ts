import { z } from 'zod';
import { catalogue, entryOfSchema, factVersions, type CatalogueEntry } from './catalogue';
import type { ConsumerName, ReadBy } from './consumers';
import type { FactData, FactType } from './families';

/** A fact of the catalogue with its data as the newest schema has it. */
export type KnownFact<T extends FactType = FactType> = {
  [Type in T]: { readonly type: Type; readonly data: FactData<Type> };
}[T];

/** A fact as it is read: its type, and its data as somebody wrote it. */
export interface UnreadFact {
  readonly type: string;
  /** `ride.requested.v1`; the newest version when missing. */
  readonly dataschema?: string | undefined;
  readonly data: unknown;
}

/** A fact that is not what the catalogue says of its type: no use in trying again. */
export class FactInvalid extends Error {
  override readonly name = 'FactInvalid';
  readonly code = 'fact_invalid';
  readonly retriable = false;
}

/**
 * Why a consumer skips a fact: nobody here knows its type (a newer service's, perhaps), or the consumer has no use for
 * it; null where it reads it.
 */
export type SkipReason = 'unknown_type' | 'not_subscribed';

export function skipReason(consumer: ConsumerName): (fact: Pick<UnreadFact, 'type'>) => SkipReason | null {
  const reasons = new Map<string, SkipReason | null>(
    catalogue.map(({ type, consumers }) => [type, consumers.includes(consumer) ? null : 'not_subscribed']),
  );
  return ({ type }) => {
    const reason = reasons.get(type);
    return reason === undefined ? 'unknown_type' : reason;
  };
}

/**
 * Reads the facts of a consumer: holds them to their schemas, and makes the newest version of earlier ones. Fields that
 * the schema does not know are left out.
 * @returns for each fact null where the consumer skips it (`skipReason`)
 * @throws FactInvalid when the type is known and the data, or the version of its schema, is not.
 */
export function readerOf<C extends ConsumerName>(
  consumer: C,
): (fact: UnreadFact) => KnownFact<ReadBy<C>> | null {
  const skip = skipReason(consumer);
  return (fact) => (skip(fact) === null ? (knownFact(fact) as KnownFact<ReadBy<C>> | null) : null);
}

/**
 * The same for a fact of whatever type, by whoever reads it.
 * @returns null for a type that this version does not know
 * @throws FactInvalid as `readerOf`
 */
export function knownFact(fact: UnreadFact): KnownFact | null {
  const versions = factVersions(fact.type);
  const newest = versions.at(-1);
  if (newest === undefined) return null;
  const written = writtenIn(fact, versions) ?? newest;
  const data = upcast(written, parsed(written, fact.data), versions);
  return { type: fact.type, data } as KnownFact;
}

function writtenIn(
  { type, dataschema }: UnreadFact,
  versions: readonly CatalogueEntry[],
): CatalogueEntry | undefined {
  if (dataschema === undefined) return undefined;
  const found = entryOfSchema(dataschema);
  if (found?.type === type) return found;
  const names = versions.map(({ version }) => `${type}.v${version}`);
  throw new FactInvalid(`${dataschema} is not known here, ${names.join(' and ')} are`);
}

/** Version by version up to the newest, whose schema reads what came of it. */
function upcast(from: CatalogueEntry, data: unknown, versions: readonly CatalogueEntry[]): unknown {
  return versions
    .slice(from.version)
    .reduce<{ entry: CatalogueEntry; data: unknown }>(
      (at, entry) => ({ entry, data: parsed(entry, at.entry.next?.upcast(at.data)) }),
      { entry: from, data },
    ).data;
}

function parsed({ type, version, schema }: CatalogueEntry, data: unknown): unknown {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw new FactInvalid(`${type}.v${version}: ${z.prettifyError(result.error)}`);
}
