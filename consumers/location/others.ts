import type { z } from 'zod';
import { createClient, type Client } from '../../platform/client';
import type { CopyHolder } from '../../platform/kafka';

/** Who holds what is asked of Kafka anew after so long. */
const FRESH_MS = 1_000;
/** An answer from memory takes milliseconds; who does not give one by then is gone, and another is asked. */
const DEADLINE_MS = 400;

/** The other location processes. */
export interface Others {
  /**
   * Asks those who hold these partitions, one after another, until all are answered for.
   * @returns their answers; what nobody answers for stays in `missing`
   */
  ask<T extends { readonly partitions: readonly number[] }>(
    missing: Set<number>,
    call: { readonly path: string; readonly query?: Query; readonly response: z.ZodType<T> },
  ): Promise<T[]>;
}

type Query = Readonly<Record<string, string | number | undefined>>;

export interface OthersOptions {
  readonly topic: string;
  readonly ownUrl: string;
  readonly token: string;
  /** As `copyHolders` says it; null while they share anew. */
  readonly holders: () => Promise<CopyHolder[] | null>;
  readonly now: () => number;
}

export function createOthers({ topic, ownUrl, token, holders, now }: OthersOptions): Others {
  let known: ReadonlyMap<string, readonly number[]> = new Map();
  let knownAt = -Infinity;
  let clients = new Map<string, Client>();

  /** By URL what each other process holds; while they share anew, or Kafka is away, what they held before. */
  async function whoHolds(): Promise<ReadonlyMap<string, readonly number[]>> {
    if (now() - knownAt < FRESH_MS) return known;
    const found = await holders().catch(() => null);
    knownAt = now();
    if (found === null) return known;
    known = new Map(
      found.filter(({ says }) => says !== ownUrl).map(({ says, assigned }) => [says, assigned[topic] ?? []]),
    );
    const before = clients;
    clients = new Map([...known.keys()].map((url) => [url, before.get(url) ?? clientOf(url)]));
    return known;
  }

  const clientOf = (baseUrl: string): Client =>
    createClient({ name: 'location', baseUrl, token, deadlineMs: DEADLINE_MS });

  return {
    async ask(missing, { path, query = {}, response }) {
      const answers: z.infer<typeof response>[] = [];
      const left = new Map(missing.size > 0 ? await whoHolds() : []);
      const holdsMissing = (partitions: readonly number[]): number =>
        partitions.filter((partition) => missing.has(partition)).length;
      while (missing.size > 0) {
        const [best] = [...left].sort(([, a], [, b]) => holdsMissing(b) - holdsMissing(a));
        if (!best || holdsMissing(best[1]) === 0) break;
        const [url] = best;
        left.delete(url);
        const answer = await clients
          .get(url)!
          .call('GET', path, { query, response })
          .catch(() => null);
        if (answer === null) continue;
        for (const partition of answer.partitions) missing.delete(partition);
        answers.push(answer);
      }
      return answers;
    },
  };
}
