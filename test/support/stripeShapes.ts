import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordedCall } from './recordedCalls';
import { stripeMockFolder } from './stripeMock';

/** The part of OpenAPI 3.0 that Stripe's description uses for what it answers. */
interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

interface Description {
  readonly info: { readonly version: string };
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation | undefined>>>>;
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content: { readonly 'application/json': { readonly schema: Schema } } }>
  >;
}

/** Stripe's description of its API, as stripe-mock carries it. */
export interface StripeShapes {
  /** The path of the description that a request goes to: `POST /v1/refunds/{refund}`. */
  endpointOf(call: Pick<RecordedCall, 'method' | 'path'>): string;
  /** What of an answer is not as Stripe describes it, a line each. */
  wrongsOf(call: RecordedCall): string[];
  /** The same for an object of the API: `event`. */
  wrongsIn(name: string, value: unknown): string[];
}

export function readStripeShapes(): StripeShapes {
  const text = readFileSync(join(stripeMockFolder(), 'spec3.json'), 'utf8');
  const { paths, components } = JSON.parse(text) as Description;
  // What is written out goes before what is a placeholder: /search before /{intent}.
  const templates = Object.keys(paths)
    .sort((a, b) => a.split('{').length - b.split('{').length)
    .map((template) => ({
      template,
      pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`),
    }));
  const templateOf = ({ method, path }: Pick<RecordedCall, 'method' | 'path'>): string => {
    const plain = path.split('?')[0] ?? '';
    const found = templates.find(
      ({ template, pattern }) => pattern.test(plain) && paths[template]?.[method.toLowerCase()] !== undefined,
    );
    if (found === undefined) throw new Error(`Stripe has no ${method} ${plain}`);
    return found.template;
  };
  const wrongs = (schema: Schema, value: unknown, at: string): string[] =>
    findWrongs(components.schemas, schema, value, at);
  return {
    endpointOf: (call) => `${call.method} ${templateOf(call)}`,
    wrongsOf(call) {
      const operation = paths[templateOf(call)]?.[call.method.toLowerCase()];
      const response = operation?.responses[String(call.status)] ?? operation?.responses['default'];
      if (response === undefined) return [`no answer with status ${call.status} is described`];
      return wrongs(response.content['application/json'].schema, call.answer, '');
    },
    wrongsIn: (name, value) => wrongs({ $ref: `#/components/schemas/${name}` }, value, name),
  };
}

function findWrongs(
  schemas: Readonly<Record<string, Schema>>,
  schema: Schema,
  value: unknown,
  at: string,
): string[] {
  const within = (next: Schema, inner: unknown, name: string): string[] =>
    findWrongs(schemas, next, inner, name);
  if (schema.$ref !== undefined) {
    const referred = schemas[schema.$ref.split('/').at(-1) ?? ''];
    return referred === undefined ? [`${at}: ${schema.$ref} is not described`] : within(referred, value, at);
  }
  if (value === null) return schema.nullable || isAny(schema) ? [] : [`${at}: may not be null`];
  if (schema.anyOf !== undefined) {
    const each = schema.anyOf.map((one) => within(one, value, at));
    return each.reduce((best, other) => (other.length < best.length ? other : best));
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [`${at}: ${JSON.stringify(value)} is none of ${schema.enum.join(', ')}`];
  }
  switch (schema.type) {
    case 'array':
      if (!Array.isArray(value)) return [`${at}: takes an array`];
      return value.flatMap((item, index) => within(schema.items ?? {}, item, `${at}[${index}]`));
    case 'object':
      if (typeof value !== 'object' || Array.isArray(value)) return [`${at}: takes an object`];
      return wrongMembers(schema, value, at, within);
    case 'integer':
      return Number.isInteger(value) ? [] : [`${at}: takes an integer`];
    case 'string':
      if (typeof value !== 'string') return [`${at}: takes a string`];
      return value.length > (schema.maxLength ?? Infinity) ? [`${at}: is too long`] : [];
    case undefined:
      return [];
    default:
      return typeof value === schema.type ? [] : [`${at}: takes a ${schema.type}`];
  }
}

const isAny = (schema: Schema): boolean => schema.type === undefined && schema.anyOf === undefined;

function wrongMembers(
  { properties = {}, required = [], additionalProperties }: Schema,
  value: object,
  at: string,
  within: (schema: Schema, inner: unknown, at: string) => string[],
): string[] {
  const missing = required
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => `${at}.${name}: is missing`);
  const others = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  // An object of which nothing is described may hold anything: the data of an event.
  const open = additionalProperties === true || Object.keys(properties).length === 0;
  const members = Object.entries(value).flatMap(([name, inner]) => {
    const described = properties[name] ?? others;
    if (described !== undefined) return within(described, inner, `${at}.${name}`);
    return open ? [] : [`${at}.${name}: Stripe has no such member`];
  });
  return [...missing, ...members];
}
