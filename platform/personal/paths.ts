type Parent = Record<string, unknown>;

/**
 * A copy of data with other values at some paths (`stops`, `ended.reason`, `fallbacks.0.token`). A path that is not there
 * is left out: what somebody has put something else in place of gets nothing back.
 */
export function withValues<T>(data: T, values: Iterable<readonly [path: string, value: unknown]>): T {
  const copy = structuredClone(data);
  for (const [path, value] of values) {
    const names = path.split('.');
    const last = names.pop()!;
    const parent = names.reduce<unknown>((at, name) => (isParent(at) ? at[name] : undefined), copy);
    if (isParent(parent) && Object.hasOwn(parent, last)) parent[last] = value;
  }
  return copy;
}

const isParent = (value: unknown): value is Parent => typeof value === 'object' && value !== null;
