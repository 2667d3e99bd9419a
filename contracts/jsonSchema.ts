import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of what may be written: unknown fields are left open where the schema leaves them
 * open, fields with a default are optional. Formats are named, not spelled out as patterns, and no number has a bound
 * that only says what a JavaScript integer is: another zod must not make another document.
 */
export function jsonSchema(
  schema: z.ZodType,
  io: 'input' | 'output' = 'input',
  target: 'draft-2020-12' | 'draft-7' = 'draft-2020-12',
): JsonSchema {
  const { $schema: _, ...document } = z.toJSONSchema(schema, { ...optionsFor(io), target, io });
  return document;
}

/** The same for named schemas that refer to each other as `#/components/schemas/<name>`. */
export function jsonSchemas(
  named: Readonly<Record<string, z.ZodType>>,
  io: 'input' | 'output' = 'input',
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { ...optionsFor(io), io, uri });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _, $id: __, ...document }]) => [id, document]),
  );
}

const optionsFor = (io: 'input' | 'output') => ({
  target: 'draft-2020-12' as const,
  override: ({ jsonSchema: made }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void => {
    if (made.format !== undefined) delete made.pattern;
    if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
    if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
    // What is answered may gain fields; only what is taken is closed.
    if (io === 'output' && made.additionalProperties === false) delete made.additionalProperties;
  },
});
