import { z } from 'zod';
import * as shared from '../../contracts/shared';
import { UsageError } from '../commandLine';

/** What a field can be: how that is written, what it is, and an example of it. */
interface Kind {
  readonly code: string;
  readonly schema: z.ZodType;
  readonly example: unknown;
  /** What the code takes from contracts/shared.ts. */
  readonly imports: readonly string[];
}

/** A field as it is asked for: `driverId:subjectId`, `note?:text`, `waitedSeconds:int=0`. */
export interface FieldAsked extends Kind {
  readonly name: string;
  /** The value that facts of an earlier version have for it: TypeScript, in which `data` is theirs. */
  readonly value: string | undefined;
}

const shape = (name: keyof typeof examples): Kind => ({
  code: name,
  schema: shared[name],
  example: examples[name],
  imports: [name],
});

const examples = {
  uuid: '01a200c0-97cd-72ad-986e-2cd93ba3703a',
  subjectId: 'driver-77',
  time: '2026-11-22T17:00:00.000Z',
  minor: 1_250,
  currency: 'USD',
  point: { lat: 40.7484, lng: -73.9857 },
  product: 'standard',
  vehicle: 'standard',
  fare: { currency: 'USD', totalMinor: 1_250, lines: [{ kind: 'base', amountMinor: 1_250 }] },
  paymentMethod: { type: 'cash' },
} as const;

const plain = (code: string, schema: z.ZodType, example: unknown): Kind => ({
  code,
  schema,
  example,
  imports: [],
});

const kinds: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(Object.keys(examples).map((name) => [name, shape(name as keyof typeof examples)])),
  text: plain('z.string()', z.string(), 'a text'),
  int: plain('z.int()', z.int(), 1),
  number: plain('z.number()', z.number(), 1.5),
  boolean: plain('z.boolean()', z.boolean(), true),
};

export const kindNames = [...Object.keys(kinds), 'a|b (one of)', 'KIND[] (a list)'].join(', ');

/** @throws UsageError where it is not `name:KIND`, with `?` behind the name where it may be missing */
export function fieldAsked(text: string): FieldAsked {
  const [, name, optional, kind, value] = /^([a-z][A-Za-z0-9]*)(\?)?:([^=]+?)(?:=(.*))?$/s.exec(text) ?? [];
  if (name === undefined || kind === undefined)
    throw new UsageError(`a field is name:KIND, name?:KIND or name:KIND=VALUE, not ${JSON.stringify(text)}`);
  const { code, schema, ...rest } = kindOf(kind.trim());
  return optional === undefined
    ? { name, value, code, schema, ...rest }
    : { name, value, code: `${code}.optional()`, schema: schema.optional(), ...rest };
}

function kindOf(text: string): Kind {
  if (text.endsWith('[]')) {
    const { code, schema, example, imports } = kindOf(text.slice(0, -2));
    return { code: `z.array(${code})`, schema: z.array(schema), example: [example], imports };
  }
  if (text.includes('|')) {
    const values = text.split('|').map((value) => value.trim());
    const code = `z.enum([${values.map((value) => `'${value}'`).join(', ')}])`;
    if (values.every((value) => /^[a-z0-9_]+$/.test(value))) return plain(code, z.enum(values), values[0]);
  }
  const kind = kinds[text];
  if (kind === undefined) throw new UsageError(`${JSON.stringify(text)} is no KIND: there is ${kindNames}`);
  return kind;
}
