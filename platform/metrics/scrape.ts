import { Gauge, type Registry } from 'prom-client';
import { wait } from '../wait';

/** How old an answer may be, and how long one is waited for. */
export interface Freshness {
  /** What was read serves all scrapes for so long (5 s). */
  readonly freshForMs?: number;
  /** A scrape waits no longer than this for an answer (1 s). */
  readonly withinMs?: number;
}

export interface Look<T> extends Freshness {
  /** What the look is at: `outbox of rides`. */
  readonly at: string;
  readonly read: () => Promise<T>;
}

/** What was read; null where there is no answer. */
export type Looked<T> = () => Promise<T | null>;

/**
 * Something that a scrape has to ask Postgres or Kafka for. One question is under way at a time, whoever scrapes how often;
 * where it fails or takes long, the scrape shows nothing of it, and `hailway_collector_up` is 0. It never throws.
 */
export function lookWhenScraped<T>(registry: Registry, look: Look<T>): Looked<T> {
  const { at, read, freshForMs = 5_000, withinMs = 1_000 } = look;
  let last: { readonly value: T | null; readonly atMs: number } | undefined;
  let asking: Promise<T | null> | undefined;

  const ask = async (): Promise<T | null> => {
    const value = await read().catch(() => null);
    last = { value, atMs: performance.now() };
    asking = undefined;
    return value;
  };
  const looked = async (): Promise<T | null> => {
    if (last !== undefined && performance.now() - last.atMs < freshForMs) return last.value;
    asking ??= ask();
    const answered = new AbortController();
    const value = asking.finally(() => answered.abort());
    return Promise.race([value, wait(withinMs, answered.signal).then(() => null)]);
  };
  looksIn(registry).set(at, looked);
  return looked;
}

const looks = new WeakMap<Registry, Map<string, Looked<unknown>>>();

/** The looks of a registry, each of which says by a metric of its own whether it was answered. */
function looksIn(registry: Registry): Map<string, Looked<unknown>> {
  const there = looks.get(registry);
  if (there) return there;
  const made = new Map<string, Looked<unknown>>();
  looks.set(registry, made);
  new Gauge({
    name: 'hailway_collector_up',
    help: '1 where what a scrape asks for was answered, 0 where what it should show is missing',
    labelNames: ['collector'],
    registers: [registry],
    async collect() {
      const answers = [...made].map(async ([collector, looked]) => {
        const value = await looked();
        this.set({ collector }, value === null ? 0 : 1);
      });
      await Promise.all(answers);
    },
  });
  return made;
}
