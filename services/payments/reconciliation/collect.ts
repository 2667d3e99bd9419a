import { driftKey, MOST_DRIFTS, type Drift } from '../../../domain/reconciliation';

/** What a check finds; each drift once, however often it is come across. */
export interface Collected {
  add(...drifts: readonly Drift[]): void;
  /** So many that looking further tells nothing more. */
  readonly isFull: boolean;
  readonly drifts: readonly Drift[];
}

export function createCollected(): Collected {
  const found = new Map<string, Drift>();
  return {
    add(...drifts) {
      for (const drift of drifts) if (found.size < MOST_DRIFTS) found.set(driftKey(drift), drift);
    },
    get isFull() {
      return found.size >= MOST_DRIFTS;
    },
    get drifts() {
      return [...found.values()];
    },
  };
}

/** The items of a list, however it comes, in arrays of `size` and a last shorter one. */
export async function* inPages<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** `work` for each item, `width` at once. */
export async function forEachOf<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
