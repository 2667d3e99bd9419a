import type { z } from 'zod';
import type { Client } from '../../platform/client';
import type { CopyHolder } from '../../platform/kafka';
import { wait } from '../../platform/wait';

/** Who holds what is asked of Kafka anew after so long. */
const FRESH_MS = 1_000;
/** So long whoever knows of nobody else to ask waits for what Kafka says: callers give up after a second. */
const PATIENCE_MS = 300;

/** The other location processes. */
export interface Others {
  /**
   * Asks those who hold these partitions, one after another, until all are answered for: whom it knows of at once, and
   * whom Kafka names in time where that is not enough.
   * @returns their answers; what nobody answers for stays in `missing`
   */
  ask<T extends { readonly partitions: readonly number[] }>(
    missing: Set<number>,
    call: {
      readonly path: string;
      readonly query?: Query;
      /** It is posted then. */
      readonly body?: unknown;
      readonly response: z.ZodType<T>;
    },
  ): Promise<T[]>;
}

/** Another process, and what it holds. */
interface Holder {
  readonly url: string;
  readonly partitions: readonly number[];
  readonly client: Client;
}

type Query = Readonly<Record<string, string | number | undefined>>;

export interface OthersOptions {
  readonly topic: string;
  readonly ownUrl: string;
  /** To the process at a URL, with a short deadline: who does not answer from memory by then is gone, and another is asked. */
  readonly clientOf: (url: string) => Client;
  /** As `copyHolders` says it; null while they share anew. */
  readonly holders: () => Promise<CopyHolder[] | null>;
  readonly now: () => number;
}

export function createOthers({ topic, ownUrl, clientOf, holders, now }: OthersOptions): Others {
  /** While they share anew, or Kafka is away, it stays what it was. */
  let known: readonly Holder[] = [];
  let knownAt = -Infinity;
  let asking: AbortController | undefined;
  /** Settles once Kafka has said who holds what, or has not for too long. */
  let told = Promise.resolve();

  /** Has Kafka asked in the background who holds what, unless that is fresh or under way. */
  function refresh(): void {
    if (asking !== undefined || now() - knownAt < FRESH_MS) return;
    const ended = (asking = new AbortController());
    told = wait(PATIENCE_MS, ended.signal);
    void learn().then(() => {
      asking = undefined;
      ended.abort();
    });
  }

  async function learn(): Promise<void> {
    const found = await holders().catch(() => null);
    knownAt = now();
    if (found === null) return;
    const clients = new Map(known.map(({ url, client }) => [url, client]));
    known = found
      .filter(({ says }) => says !== ownUrl)
      .map(({ says, assigned }) => ({
        url: says,
        partitions: assigned[topic] ?? [],
        client: clients.get(says) ?? clientOf(says),
      }));
  }

  /** Of those who are not asked yet, the one who holds most of what is missing. */
  function best(missing: ReadonlySet<number>, asked: ReadonlySet<string>): Holder | undefined {
    const holdsMissing = ({ partitions }: Holder): number =>
      partitions.filter((partition) => missing.has(partition)).length;
    const [first] = known
      .filter((holder) => !asked.has(holder.url) && holdsMissing(holder) > 0)
      .sort((a, b) => holdsMissing(b) - holdsMissing(a));
    return first;
  }

  return {
    async ask(missing, { path, query = {}, body, response }) {
      const answers: z.infer<typeof response>[] = [];
      const asked = new Set<string>();
      if (missing.size > 0) refresh();
      while (missing.size > 0) {
        const holder = best(missing, asked) ?? (await told.then(() => best(missing, asked)));
        if (holder === undefined) break;
        asked.add(holder.url);
        const method = body === undefined ? 'GET' : 'POST';
        const answer = await holder.client.call(method, path, { query, body, response }).catch(() => null);
        if (answer === null) continue;
        for (const partition of answer.partitions) missing.delete(partition);
        answers.push(answer);
      }
      return answers;
    },
  };
}
