import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema } from '../../contracts/jsonSchema';
import { shown, type Break } from './schemaParts';

/** Values that are listed (`enum`, `const`), and the one that stands for a field that is not there. */
export function valueBreaks(old: JsonSchema, now: JsonSchema, path: string): Break[] {
  const [before, after] = [valuesOf(old), valuesOf(now)];
  const found: Break[] = [];
  const lacks = (values: unknown[] | null, value: unknown): boolean =>
    values !== null && !values.some((each) => isDeepStrictEqual(each, value));
  const differ = { path, was: list(before), is: list(after) };
  if (after !== null && (before ?? [{}]).some((value) => lacks(after, value)))
    found.push({ ...differ, kind: 'enum narrowed' });
  if (before !== null && (after ?? [{}]).some((value) => lacks(before, value)))
    found.push({ ...differ, kind: 'enum widened' });
  if (old.default !== undefined && !isDeepStrictEqual(old.default, now.default))
    found.push({ path, kind: 'default changed', ...shown(old.default, now.default) });
  return found;
}

/** The values that are allowed; null where any is. */
const valuesOf = (schema: JsonSchema): unknown[] | null =>
  Array.isArray(schema.enum) ? schema.enum : schema.const === undefined ? null : [schema.const];

const list = (values: readonly unknown[] | null): string =>
  values === null ? 'any' : values.map((value) => JSON.stringify(value)).join(', ');

const bounds = {
  ...{ minimum: 1, exclusiveMinimum: 1, minLength: 1, minItems: 1, minProperties: 1 },
  ...{ maximum: -1, exclusiveMaximum: -1, maxLength: -1, maxItems: -1, maxProperties: -1 },
} as const;

/** How large and how many: a bound that was added or moved inwards is tighter. */
export function boundBreaks(old: JsonSchema, now: JsonSchema, path: string): Break[] {
  return Object.entries(bounds).flatMap(([keyword, sign]): Break[] => {
    const limit = (schema: JsonSchema): number => sign * Number(schema[keyword] ?? -sign * Infinity);
    const by = limit(now) - limit(old);
    // Two bounds that are not there differ by nothing that is a number.
    if (by === 0 || Number.isNaN(by)) return [];
    const said = (schema: JsonSchema): string =>
      schema[keyword] === undefined ? `no ${keyword}` : `${keyword} ${Number(schema[keyword])}`;
    return [{ path, kind: by > 0 ? 'bound tightened' : 'bound loosened', was: said(old), is: said(now) }];
  });
}

/** What a text looks like. */
export function textBreaks(old: JsonSchema, now: JsonSchema, path: string): Break[] {
  return (['pattern', 'format'] as const).flatMap((keyword): Break[] => {
    const [before, after] = [old[keyword], now[keyword]];
    if (before === after) return [];
    const how = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    return [{ path, kind: `${keyword} ${how}`, ...shown(before, after) }];
  });
}
