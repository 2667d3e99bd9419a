import { appendFact } from '../../../platform/outbox';
import { withTransaction, type Pool } from '../../../platform/postgres';
import { wait } from '../../../platform/wait';
import type { Random } from '../../city/random';

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

const writers = 4;
const keysOfWriter = 12;
const pauseMs = 8;
/** The consumer does not get over this one's third fact. */
export const poisonedKey = 'poisoned';
export const poisonedSequence = 3;

/** Commits facts of some fifty keys until it is stopped, about 300 a second. */
export function startLoad(pool: Pool, topic: string, random: Random): Load {
  const answered = new Map<string, number>();
  const stopping = new AbortController();
  let committed = 0;
  let failures = 0;
  let last = '';
  const write = async (writer: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      const n = Math.floor(random.between(0, keysOfWriter));
      const key = writer === 0 && n === 0 ? poisonedKey : `key-${writer}-${n}`;
      try {
        answered.set(key, await commitNext(pool, topic, key));
        committed += 1;
      } catch (error) {
        failures += 1;
        last = error instanceof Error ? error.message : String(error);
        await wait(100, stopping.signal);
      }
      await wait(pauseMs, stopping.signal);
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
const commitNext = (pool: Pool, topic: string, key: string): Promise<number> =>
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
    return sequence;
  });
