import type { JsonSchema } from '../../../contracts/jsonSchema';
import { isSchema, namesIn, show, withoutNull } from '../schemaParts';

/** A field of a fact, at whatever depth. */
export interface Field {
  /** `fare.lines[].kind`. */
  readonly path: string;
  readonly type: string;
  readonly isRequired: boolean;
  /** What it means and what bounds it. */
  readonly says: string;
}

/** The fields of a schema, each before those in it. */
export function fieldsOf(schema: JsonSchema, under = ''): Field[] {
  const required = namesIn(schema.required);
  return Object.entries(isSchema(schema.properties) ? schema.properties : {}).flatMap(([name, field]) => {
    if (!isSchema(field)) return [];
    const path = `${under}${name}`;
    const isRequired = required.includes(name);
    return [{ path, type: show(field), isRequired, says: says(field) }, ...inside(field, path)];
  });
}

function inside(nullable: JsonSchema, path: string): Field[] {
  const { schema } = withoutNull(nullable);
  const union = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(union))
    return union.flatMap((branch, i) => (isSchema(branch) ? fieldsOf(branch, `${path}<${i + 1}>.`) : []));
  if (isSchema(schema.items)) return inside(schema.items, `${path}[]`);
  return fieldsOf(schema, `${path}.`);
}

function says(nullable: JsonSchema): string {
  const { schema } = withoutNull(nullable);
  const description = nullable.description ?? schema.description;
  const { minimum, maximum, minLength, maxLength, pattern } = schema;
  return [
    typeof description === 'string' ? description : undefined,
    nullable.default === undefined ? undefined : `${JSON.stringify(nullable.default)} where it is not said`,
    range('', minimum, maximum),
    range('length ', minLength, maxLength),
    pattern === undefined ? undefined : `matches ${JSON.stringify(pattern)}`,
  ]
    .filter((part) => part !== undefined)
    .join('; ');
}

const range = (what: string, least: unknown, most: unknown): string | undefined => {
  const bounds = [
    ...(least === undefined ? [] : [`from ${JSON.stringify(least)}`]),
    ...(most === undefined ? [] : [`to ${JSON.stringify(most)}`]),
  ];
  return bounds.length === 0 ? undefined : what + bounds.join(' ');
};
