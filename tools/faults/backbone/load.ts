import { appendFact } from '../../../platform/outbox';
import { withTransaction, type Pool } from '../../../platform/postgres';
import { wait } from '../../../platform/wait';
import type { Random } from '../../city/random';
import { poisonedKey } from './things';

/** Somebody who commits facts all the time, whatever happens. */
export interface Load {
  /** Commits that Postgres has answered. */
  committed(): number;
  /** Tries that failed, and the last one's words. */
  failed(): { readonly count: number; readonly last: string };
  /** The highest version of each key that Postgres has answered. */
  readonly answered: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly random: Random;
  /** About so many facts a second. */
  readonly factsPerSecond: number;
  /** Whether one key has a fact that the consumer does not get over (yes). */
  readonly poison?: boolean;
}

const writers = 4;
const keysOfWriter = 5;
/** One in so many transactions stays open for a while, so that others of later facts commit before it. */
const lingerers = 0.1;
const lingersMs = 400;

/** Commits facts of twenty keys until it is stopped. */
export function startLoad(
  pool: Pool,
  topic: string,
  { random, factsPerSecond, poison = true }: LoadOptions,
): Load {
  const answered = new Map<string, number>();
  const stopping = new AbortController();
  let committed = 0;
  let failures = 0;
  let last = '';
  const write = async (writer: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      const n = Math.floor(random.between(0, keysOfWriter));
      const key = poison && writer === 0 && n === 0 ? poisonedKey : `key-${writer}-${n}`;
      const lingerMs = random.chance(lingerers) ? random.between(0, lingersMs) : 0;
      try {
        answered.set(key, await commitNext(pool, topic, key, lingerMs));
        committed += 1;
      } catch (error) {
        failures += 1;
        last = error instanceof Error ? error.message : String(error);
        await wait(100, stopping.signal);
      }
      await wait((writers * 1_000) / factsPerSecond, stopping.signal);
    }
  };
  const working = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return {
    committed: () => committed,
    failed: () => ({ count: failures, last }),
    answered,
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** A key's next fact, with the row that counts them, in one transaction. */
const commitNext = (pool: Pool, topic: string, key: string, lingerMs: number): Promise<number> =>
  withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ version: number }>(
      `insert into aggregates (id, version) values ($1, 1)
       on conflict (id) do update set version = aggregates.version + 1 returning version`,
      [key],
    );
    const sequence = rows[0]!.version;
    await appendFact(tx, {
      ...{ topic, key, id: key, type: 'thing.changed', sequence, data: { text: 'x'.repeat(400) } },
      ...{ time: new Date().toISOString(), source: '/hailway/faults' },
      ...{ correlationId: key, causationId: `${key}/${sequence}` },
    });
    if (lingerMs > 0) await wait(lingerMs);
    return sequence;
  });
