/** What was found out a short while ago: at most so many, none longer than `lifeMs`. */
export interface Cache<V> {
  /** Undefined where it is not known, or was found out too long ago. */
  get(name: string): V | undefined;
  keep(found: Iterable<readonly [string, V]>): void;
}

export function createCache<V>({
  lifeMs,
  most,
  now,
}: {
  lifeMs: number;
  most: number;
  now: () => number;
}): Cache<V> {
  const entries = new Map<string, { readonly value: V; readonly until: number }>();
  return {
    get(name) {
      const entry = entries.get(name);
      return entry === undefined || entry.until <= now() ? undefined : entry.value;
    },
    keep(found) {
      const until = now() + lifeMs;
      for (const [name, value] of found) {
        entries.delete(name);
        entries.set(name, { value, until });
      }
      // The oldest come first.
      for (const name of entries.keys()) {
        if (entries.size <= most) break;
        entries.delete(name);
      }
    },
  };
}
