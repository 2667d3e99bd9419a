import { z } from 'zod';
import { factEntry, type FactData, type FactType } from './catalogue';

/** A fact of the catalogue with its data as its schema has it. */
export type KnownFact = { [T in FactType]: { readonly type: T; readonly data: FactData<T> } }[FactType];

/** A fact that is not what the catalogue says of its type: no use in trying again. */
export class FactInvalid extends Error {
  override readonly name = 'FactInvalid';
  readonly code = 'fact_invalid';
  readonly retriable = false;
}

/**
 * Holds a fact to its schema. Fields that the schema does not know are left out.
 * @returns null for a type that this version does not know: somebody else's business.
 * @throws FactInvalid when the type is known and the data, or the version of its schema, is not.
 */
export function knownFact(fact: {
  readonly type: string;
  /** `ride.requested.v1`; the newest version when missing. */
  readonly dataschema?: string | undefined;
  readonly data: unknown;
}): KnownFact | null {
  const entry = factEntry(fact.type);
  if (entry === undefined) return null;
  // The newest schema reads the older ones too: what they lack has a default.
  const known = Array.from({ length: entry.version }, (_, i) => `${entry.type}.v${i + 1}`);
  if (fact.dataschema !== undefined && !known.includes(fact.dataschema)) {
    throw new FactInvalid(`${fact.dataschema} is not known here, ${known.join(' and ')} are`);
  }
  const parsed = entry.schema.safeParse(fact.data);
  if (!parsed.success) throw new FactInvalid(`${fact.type}: ${z.prettifyError(parsed.error)}`);
  return { type: fact.type, data: parsed.data } as KnownFact;
}
