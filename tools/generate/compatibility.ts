import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema } from '../../contracts/jsonSchema';

/**
 * What keeps `next` from taking the place of the frozen `published` schema of the same version; nothing if only
 * optional fields were added. A field that became required breaks readers of stored facts, one that became optional
 * or changed in any way breaks consumers that were built on the frozen schema.
 */
export function incompatibilities(published: unknown, next: unknown, path = ''): string[] {
  if (!isSchema(published) || !isSchema(next)) {
    return isDeepStrictEqual(published, next) ? [] : [`${path || '/'} changed`];
  }
  const keywords = new Set([...Object.keys(published), ...Object.keys(next)]);
  return [...keywords].flatMap((keyword) => {
    const [before, after] = [published[keyword], next[keyword]];
    switch (keyword) {
      case 'description':
      case 'title':
        return [];
      case 'properties':
        return properties(before, after, path);
      case 'required':
        return required(before, after, path);
      case 'items':
        return incompatibilities(before, after, `${path}/items`);
      case 'anyOf':
      case 'oneOf':
        return branches(before, after, `${path}/${keyword}`);
      default:
        return isDeepStrictEqual(before, after) ? [] : [`${path || '/'}: ${keyword} changed`];
    }
  });
}

function properties(before: unknown, after: unknown, path: string): string[] {
  const [old, now] = [isSchema(before) ? before : {}, isSchema(after) ? after : {}];
  return Object.entries(old).flatMap(([name, schema]) =>
    Object.hasOwn(now, name)
      ? incompatibilities(schema, now[name], `${path}/${name}`)
      : [`${path}/${name} was removed`],
  );
}

function required(before: unknown, after: unknown, path: string): string[] {
  const [old, now] = [names(before), names(after)];
  return [
    ...now.filter((name) => !old.includes(name)).map((name) => `${path}/${name} became required`),
    ...old.filter((name) => !now.includes(name)).map((name) => `${path}/${name} is no longer required`),
  ];
}

function branches(before: unknown, after: unknown, path: string): string[] {
  if (!Array.isArray(before) || !Array.isArray(after) || before.length !== after.length) {
    return [`${path} changed`];
  }
  return before.flatMap((branch, i) => incompatibilities(branch, after[i], `${path}/${i}`));
}

const names = (value: unknown): string[] => (Array.isArray(value) ? (value as string[]) : []);

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
