import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema } from '../../contracts/jsonSchema';
import { boundBreaks, textBreaks, valueBreaks } from './keywords';
import { deref, isSchema, namesIn, show, shown, withoutNull, type Break, type Roots } from './schemaParts';

/**
 * What keeps `next` from taking the place of the frozen `published` schema of the same version; nothing where it only
 * gained optional fields or words of explanation. What became narrower keeps stored facts from being read; what became
 * wider surprises consumers that were built on the frozen schema: both are breaks. References are followed.
 */
export function breaksBetween(published: JsonSchema, next: JsonSchema): Break[] {
  return compare(published, next, '', { before: published, after: next, followed: new Set() });
}

function compare(before: unknown, after: unknown, path: string, roots: Roots): Break[] {
  if (!isSchema(before) || !isSchema(after)) {
    return isDeepStrictEqual(before, after) ? [] : [{ path, kind: 'changed', ...shown(before, after) }];
  }
  const pair = `${String(before.$ref)} ${String(after.$ref)}`;
  if (before.$ref !== undefined || after.$ref !== undefined) {
    if (roots.followed.has(pair)) return [];
    roots = { ...roots, followed: new Set([...roots.followed, pair]) };
  }
  const old = withoutNull(deref(before, roots.before));
  const now = withoutNull(deref(after, roots.after));
  const nulls: Break[] =
    old.nullable === now.nullable
      ? []
      : [{ path, kind: old.nullable ? 'null taken away' : 'null allowed', ...shown(before, after) }];
  return [...nulls, ...compareParts(old.schema, now.schema, path, roots)];
}

function compareParts(old: JsonSchema, now: JsonSchema, path: string, roots: Roots): Break[] {
  if (!isDeepStrictEqual(old.type, now.type) || (unionOf(old) === null) !== (unionOf(now) === null)) {
    // Of another type everything else is another matter, too.
    return [{ path, kind: 'type changed', was: show(old), is: show(now) }];
  }
  return [
    ...valueBreaks(old, now, path),
    ...boundBreaks(old, now, path),
    ...textBreaks(old, now, path),
    ...fields(old, now, path, roots),
    ...extras(old, now, path, roots),
    ...unions(old, now, path, roots),
    ...Object.entries(inner).flatMap(([keyword, at]) =>
      compare(old[keyword], now[keyword], path + at, roots),
    ),
    ...listed(old, now, path, roots),
    ...others(old, now, path),
  ];
}

/** Schemas inside a schema, and what the path says of them. */
const inner = { items: '[]', propertyNames: '{name}', contains: '[some]', not: '{not}' } as const;

function fields(old: JsonSchema, now: JsonSchema, path: string, roots: Roots): Break[] {
  const [before, after] = [asRecord(old.properties), asRecord(now.properties)];
  const [had, has] = [namesIn(old.required), namesIn(now.required)];
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const kept = Object.keys(before).filter((name) => Object.hasOwn(after, name));
  return [
    ...Object.keys(before)
      .filter((name) => !Object.hasOwn(after, name))
      .map((name): Break => ({
        path: at(name),
        kind: 'field removed',
        was: show(before[name]),
        is: 'nothing',
      })),
    ...has
      .filter((name) => !had.includes(name))
      .map((name): Break => ({
        ...{ path: at(name), kind: 'required added', is: 'required' },
        was: Object.hasOwn(before, name) ? 'optional' : 'nothing',
      })),
    ...had
      .filter((name) => !has.includes(name) && Object.hasOwn(after, name))
      .map((name): Break => ({ path: at(name), kind: 'required removed', was: 'required', is: 'optional' })),
    ...kept.flatMap((name) => compare(before[name], after[name], at(name), roots)),
    ...(old.additionalProperties === false
      ? Object.keys(after)
          .filter((name) => !Object.hasOwn(before, name) && !has.includes(name))
          .map((name): Break => ({
            path: at(name),
            kind: 'field added to a closed object',
            was: 'nothing',
            is: show(after[name]),
          }))
      : []),
  ];
}

/** What other fields may be there. */
function extras(old: JsonSchema, now: JsonSchema, path: string, roots: Roots): Break[] {
  const [before, after] = [old.additionalProperties ?? true, now.additionalProperties ?? true];
  if (isSchema(before) && isSchema(after)) return compare(before, after, `${path}{}`, roots);
  if (isDeepStrictEqual(before, after)) return [];
  const narrower = after === false || before === true;
  return [
    {
      path,
      kind: narrower ? 'additionalProperties closed' : 'additionalProperties opened',
      ...shown(before, after),
    },
  ];
}

const unionOf = (schema: JsonSchema): unknown[] | null => {
  const union = schema.oneOf ?? schema.anyOf;
  return Array.isArray(union) ? union : null;
};

/** Branches are the same by what tells them apart: the constants in them, or their type. */
function unions(old: JsonSchema, now: JsonSchema, path: string, roots: Roots): Break[] {
  const left = [...(unionOf(now) ?? [])];
  const take = (branch: unknown): unknown => {
    const same = left.findIndex((other) => isDeepStrictEqual(other, branch));
    const at =
      same >= 0 ? same : left.findIndex((other) => tagOf(other, roots.after) === tagOf(branch, roots.before));
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  const kept = (unionOf(old) ?? []).flatMap((branch): Break[] => {
    const other = take(branch);
    const at = `${path}<${tagOf(branch, roots.before)}>`;
    return other === undefined
      ? [{ path: at, kind: 'union branch removed', was: show(branch), is: 'nothing' }]
      : compare(branch, other, at, roots);
  });
  return [
    ...kept,
    ...left.map((branch): Break => ({
      ...{ path: `${path}<${tagOf(branch, roots.after)}>`, kind: 'union branch added' },
      ...{ was: 'nothing', is: show(branch) },
    })),
  ];
}

function tagOf(branch: unknown, root: JsonSchema): string {
  if (!isSchema(branch)) return String(branch);
  const schema = deref(branch, root);
  const constants = Object.entries(asRecord(schema.properties)).flatMap(([name, field]) =>
    isSchema(field) && field.const !== undefined ? [`${name} ${JSON.stringify(field.const)}`] : [],
  );
  return constants.length > 0 ? constants.join(' ') : JSON.stringify(schema.const ?? schema.type ?? schema);
}

/** Lists of schemas that have an order: `prefixItems` by place; all of `allOf` count. */
function listed(old: JsonSchema, now: JsonSchema, path: string, roots: Roots): Break[] {
  return (['prefixItems', 'allOf'] as const).flatMap((keyword) => {
    const [before, after] = [asList(old[keyword]), asList(now[keyword])];
    if (before.length !== after.length)
      return [
        { path, kind: 'changed', was: `${keyword} of ${before.length}`, is: `${keyword} of ${after.length}` },
      ];
    return before.flatMap((each, i) => compare(each, after[i], `${path}[${i}]`, roots));
  });
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asRecord = (value: unknown): JsonSchema => (isSchema(value) ? value : {});

const compared = new Set([
  ...[
    'type',
    'enum',
    'const',
    'pattern',
    'format',
    'default',
    'properties',
    'required',
    'additionalProperties',
  ],
  ...['anyOf', 'oneOf', 'prefixItems', 'allOf', '$ref', '$defs', 'definitions', ...Object.keys(inner)],
  ...['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'],
  ...['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'],
]);

/** Words about a value, which change nothing of it. */
const isAnnotation = (keyword: string): boolean =>
  ['$schema', '$id', '$comment', 'title', 'description', 'examples', 'deprecated'].includes(keyword) ||
  /^(x-|personal)/.test(keyword);

/** Whatever else is said is not understood here, and so must not change. */
function others(old: JsonSchema, now: JsonSchema, path: string): Break[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((keyword) => !compared.has(keyword) && !isAnnotation(keyword))
    .filter((keyword) => !isDeepStrictEqual(old[keyword], now[keyword]))
    .map((keyword): Break => ({
      path: `${path} ${keyword}`.trim(),
      kind: 'changed',
      ...shown(old[keyword], now[keyword]),
    }));
}
