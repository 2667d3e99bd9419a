import type { JsonSchema } from '../../contracts/jsonSchema';

/** What can break a reader, by its name; and whom. */
export const breakKinds = {
  'field removed': 'who reads it finds it missing',
  'type changed': 'stored facts can not be read, and who reads it does not expect it',
  'required added': 'stored facts lack it',
  'required removed': 'who reads it counts on it',
  'enum narrowed': 'stored facts may have what is gone',
  'enum widened': 'who reads it does not know what is new',
  'bound tightened': 'stored facts may be beyond it',
  'bound loosened': 'who reads it counts on it',
  'pattern added': 'stored facts may not match it',
  'pattern changed': 'stored facts may not match it, and who reads it counts on the old one',
  'pattern removed': 'who reads it counts on it',
  'format added': 'stored facts may not have it',
  'format changed': 'stored facts have the old one',
  'format removed': 'who reads it counts on it',
  'null taken away': 'stored facts may have null',
  'null allowed': 'who reads it does not expect null',
  'default changed': 'stored facts without it mean something else now',
  'additionalProperties closed': 'stored facts may have more',
  'additionalProperties opened': 'who reads it counts on there being no more',
  'field added to a closed object': 'who reads it refuses what the frozen schema does not name',
  'union branch removed': 'stored facts may be of that branch',
  'union branch added': 'who reads it does not know that branch',
  changed: 'who reads it counts on it',
} as const;

/** A difference that a reader can be broken by. */
export interface Break {
  /** `fare.lines[].kind`, `paymentMethod<type "card">.token`; empty for the fact itself. */
  readonly path: string;
  readonly kind: keyof typeof breakKinds;
  readonly was: string;
  readonly is: string;
}

/** Where the references of either side lead, and those that led here. */
export interface Roots {
  readonly before: JsonSchema;
  readonly after: JsonSchema;
  readonly followed: ReadonlySet<string>;
}

export const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const namesIn = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** What a reference inside `root` stands for; what stands beside it counts, too. @throws Error for one that leads nowhere */
export function deref(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const { $ref, ...beside } = schema;
  if (typeof $ref !== 'string') return schema;
  const steps = $ref
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const found = steps.reduce<unknown>((at, step) => (isSchema(at) ? at[step] : undefined), root);
  if (!$ref.startsWith('#') || !isSchema(found))
    throw new Error(`a schema refers to ${$ref}, which is not in it`);
  return { ...deref(found, root), ...beside };
}

/** Whether null may be there, and the schema of what else may, however that is written. */
export function withoutNull(schema: JsonSchema): { nullable: boolean; schema: JsonSchema } {
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== 'null');
    const type: unknown = types.length === 1 ? types[0] : types;
    return { nullable: types.length < schema.type.length, schema: { ...schema, type } };
  }
  for (const keyword of ['anyOf', 'oneOf'] as const) {
    const { [keyword]: union, ...beside } = schema;
    if (!Array.isArray(union)) continue;
    const rest: unknown[] = union.filter((branch) => !(isSchema(branch) && branch.type === 'null'));
    if (rest.length === union.length) continue;
    const only = rest.length === 1 && isSchema(rest[0]) ? rest[0] : { [keyword]: rest };
    const inner = withoutNull(only);
    return { nullable: true, schema: { ...beside, ...inner.schema } };
  }
  return { nullable: false, schema };
}

/** A schema, or a value of one of its keywords, in a few words. */
export function show(value: unknown): string {
  if (!isSchema(value)) return value === undefined ? 'nothing' : JSON.stringify(value);
  const { nullable, schema } = withoutNull(value);
  return nullable ? `${showPlain(schema)} or null` : showPlain(schema);
}

function showPlain(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum))
    return `one of ${schema.enum.map((each) => JSON.stringify(each)).join(', ')}`;
  const union = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(union)) return `one of ${union.length} kinds`;
  if (schema.type === 'array') return `array of ${show(schema.items ?? {})}`;
  if (typeof schema.$ref === 'string') return schema.$ref;
  const type = namesIn([schema.type ?? 'anything'].flat()).join(' or ');
  return typeof schema.format === 'string' ? `${type} (${schema.format})` : type;
}

export const shown = (before: unknown, after: unknown): { was: string; is: string } => ({
  was: show(before),
  is: show(after),
});
