import { z } from 'zod';
import { factEntry } from './catalogue';
import { marks } from './personalMarks';

/** What is personal in a fact: where, whose, and what stands there for whoever has no key. */
interface Found {
  /** `pickup`, `fallbacks.0.token`. */
  readonly path: string;
  /** The field that names whose it is: `riderId`. */
  readonly subject: string;
  readonly value: unknown;
  readonly erased: unknown;
}

/** A fact's data without what is personal, and that beside it, by subject: values by their paths. */
export interface Split {
  readonly rest: Readonly<Record<string, unknown>>;
  readonly personal: readonly {
    readonly subject: string;
    readonly values: Readonly<Record<string, unknown>>;
  }[];
}

/**
 * Takes out of a fact what its schema marks as personal.
 * @param subjects who is meant by a name that the data does not say: `{ riderId }`
 * @throws Error where nobody says whose a value is
 */
export function splitPersonal(
  type: string,
  data: object,
  subjects: Readonly<Record<string, unknown>> = {},
): Split {
  const found = personalIn(type, data);
  const known = { ...subjects, ...data } as Readonly<Record<string, unknown>>;
  const values = new Map<string, Record<string, unknown>>();
  for (const { path, subject: name, value } of found) {
    const subject = known[name];
    if (typeof subject !== 'string') throw new Error(`impossible: ${path} of ${type} is of no ${name}`);
    values.set(subject, { ...values.get(subject), [path]: value });
  }
  return {
    rest: blotted(data, found),
    personal: [...values].map(([subject, some]) => ({ subject, values: some })),
  };
}

/** A fact's data as those read it who have no key: what two copies of it have in common, sealed or not, erased or not. */
export function withoutPersonal(type: string, data: object): Readonly<Record<string, unknown>> {
  const { sealed: _, ...rest } = data as Record<string, unknown>;
  return blotted(rest, personalIn(type, rest));
}

/** The same, for one subject alone. @param subjects as for `splitPersonal` */
export function withoutSubject(
  type: string,
  data: object,
  subject: string,
  subjects: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const known = { ...subjects, ...data } as Readonly<Record<string, unknown>>;
  return blotted(
    data,
    personalIn(type, data).filter((one) => known[one.subject] === subject),
  );
}

/**
 * What leaves of a fact: without what is personal, which goes along sealed, in a field of its own.
 * @param seal of a vault: inside its `withKeys`
 */
export function sealedFact(
  seal: (id: string, personal: Split['personal']) => readonly object[],
  fact: { readonly id: string; readonly type: string; readonly data: object },
  subjects: Readonly<Record<string, unknown>> = {},
): { readonly sent: Readonly<Record<string, unknown>> } {
  const { rest, personal } = splitPersonal(fact.type, fact.data, subjects);
  const sealed = personal.length === 0 ? [] : seal(fact.id, personal);
  return { sent: sealed.length === 0 ? rest : { ...rest, sealed } };
}

function personalIn(type: string, data: object): Found[] {
  const schema = factEntry(type)?.schema;
  return schema === undefined ? [] : [...within(schema, data, [])];
}

function* within(schema: z.core.$ZodType, value: unknown, path: readonly string[]): Generator<Found> {
  if (value === undefined || value === null) return;
  const mark = marks.get(schema);
  if (mark !== undefined) {
    yield { path: path.join('.'), value, ...mark };
  } else if (schema instanceof z.ZodObject) {
    for (const [name, field] of Object.entries(schema.shape))
      yield* within(field as z.ZodType, (value as Record<string, unknown>)[name], [...path, name]);
  } else if (schema instanceof z.ZodArray) {
    for (const [i, element] of (value as unknown[]).entries())
      yield* within(schema.element, element, [...path, String(i)]);
  } else if (schema instanceof z.ZodDiscriminatedUnion) {
    const option = schema.options.find((one) => z.safeParse(one, value).success);
    if (option !== undefined) yield* within(option, value, path);
  } else if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault
  ) {
    yield* within(schema.unwrap(), value, path);
  }
}

function blotted(data: object, found: readonly Found[]): Readonly<Record<string, unknown>> {
  const copy = structuredClone(data) as Record<string, unknown>;
  for (const { path, erased } of found) {
    const names = path.split('.');
    const last = names.pop()!;
    const parent = names.reduce((at, name) => at[name] as Record<string, unknown>, copy);
    parent[last] = erased;
  }
  return copy;
}
