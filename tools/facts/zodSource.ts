import type { JsonSchema } from '../../contracts/jsonSchema';
import { isSchema, namesIn, withoutNull } from '../generate/schemaParts';

/**
 * The zod source of a schema: an earlier version stands by itself, so that what shared shapes become changes nothing of it.
 * @throws Error for what no fact has had so far: write that by hand
 */
export function zodSource(schema: JsonSchema): string {
  const { nullable, schema: plain } = withoutNull(schema);
  return [
    valueSource(plain),
    nullable ? '.nullable()' : '',
    schema.default === undefined ? '' : `.default(${JSON.stringify(schema.default)})`,
    schema.description === undefined ? '' : `.describe(${JSON.stringify(schema.description)})`,
  ].join('');
}

function valueSource(schema: JsonSchema): string {
  const union = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(union))
    return `z.union([${union.map((branch) => zodSource(asSchema(branch))).join(', ')}])`;
  if (schema.const !== undefined) return `z.literal(${JSON.stringify(schema.const)})`;
  if (Array.isArray(schema.enum)) return `z.enum(${JSON.stringify(schema.enum)})`;
  switch (schema.type) {
    case 'object':
      return objectSource(schema);
    case 'array':
      if (schema.prefixItems !== undefined) break;
      return `z.array(${zodSource(asSchema(schema.items))})${bounds(schema, 'minItems', 'maxItems')}`;
    case 'string':
      return textSource(schema);
    case 'integer':
      return `z.int()${bounds(schema, 'minimum', 'maximum')}`;
    case 'number':
      return `z.number()${bounds(schema, 'minimum', 'maximum')}`;
    case 'boolean':
      return 'z.boolean()';
  }
  throw new Error(`write the earlier version by hand: ${JSON.stringify(schema)} is not understood here`);
}

function objectSource(schema: JsonSchema): string {
  if (isSchema(schema.additionalProperties))
    return `z.record(z.string(), ${zodSource(schema.additionalProperties)})`;
  const required = namesIn(schema.required);
  const fields = Object.entries(isSchema(schema.properties) ? schema.properties : {}).map(([name, field]) => {
    const optional = required.includes(name) || asSchema(field).default !== undefined ? '' : '.optional()';
    return `${JSON.stringify(name)}: ${zodSource(asSchema(field))}${optional}`;
  });
  return `z.object({ ${fields.join(', ')} })`;
}

const formats: Readonly<Record<string, string>> = { uuid: 'z.uuid()', 'date-time': 'z.iso.datetime()' };

function textSource(schema: JsonSchema): string {
  const start = typeof schema.format === 'string' ? formats[schema.format] : 'z.string()';
  if (start === undefined)
    throw new Error(`write the earlier version by hand: format ${JSON.stringify(schema.format)}`);
  const pattern =
    typeof schema.pattern === 'string' ? `.regex(${new RegExp(schema.pattern).toString()})` : '';
  return `${start}${bounds(schema, 'minLength', 'maxLength')}${pattern}`;
}

const bounds = (schema: JsonSchema, least: string, most: string): string =>
  (schema[least] === undefined ? '' : `.min(${Number(schema[least])})`) +
  (schema[most] === undefined ? '' : `.max(${Number(schema[most])})`);

const asSchema = (value: unknown): JsonSchema => {
  if (!isSchema(value)) throw new Error(`write the earlier version by hand: ${JSON.stringify(value)}`);
  return value;
};
