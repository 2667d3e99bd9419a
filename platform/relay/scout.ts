import type { Pool } from 'pg';
import { createPoll } from '../poll';
import type { KafkaLog } from '../kafka/client';
import { lookForNews, type Reached, type Window } from './outboxReader';
import { outboxChannel } from './tell';

/** A window of facts, or that parked keys of the lane are released. */
export type LaneNews = Window | 'released';

export interface Scout {
  /**
   * What comes next of a lane above where it is, once there is something; undefined when the signal is aborted first, or
   * the lane is asked about anew. @throws DatabaseSetBack
   */
  nextOf(lane: number, reached: Reached, signal: AbortSignal): Promise<LaneNews | undefined>;
  run(): Promise<void>;
}

/** The database was restored from a dump, say: its transactions have lower numbers than those that are done with. */
export class DatabaseSetBack extends Error {
  override readonly name = 'DatabaseSetBack';

  constructor(lane: number) {
    super(
      `lane ${lane} stands at a snapshot that its database has yet to reach: select outbox_begin_anew(), if it was restored`,
    );
  }
}

/**
 * Looks for news for all lanes that wait for some, in one query: when it is told that there are facts, and every
 * `pollMs` in any case.
 */
export function createScout(options: {
  pool: Pool;
  pollMs: number;
  signal: AbortSignal;
  log: KafkaLog;
}): Scout {
  const { pool, pollMs, signal, log } = options;
  const waiting = new Map<
    number,
    {
      /** Where the lane is, as is stored. */
      readonly reached: Reached;
      /** Up to where there was nothing. */
      from: string;
      readonly resolve: (news: LaneNews | undefined) => void;
      readonly reject: (error: Error) => void;
    }
  >();
  const poll = createPoll();
  let stopListening: (() => void) | undefined;

  /**
   * A server that has crashed may give transactions' numbers anew that it had not written down yet: snapshots of before
   * then say of new facts that they were there. A look that found something has its own written down.
   */
  let begun = 0;
  const beginAnew = (): void => {
    begun += 1;
    for (const one of waiting.values()) one.from = one.reached.from;
  };

  async function listen(): Promise<void> {
    if (stopListening !== undefined) return;
    const client = await pool.connect();
    // What a lost connection misses the poll finds; the next look listens anew.
    let isReleased = false;
    const lost = (error?: Error): void => {
      if (stopListening === lost) stopListening = undefined;
      beginAnew();
      if (!isReleased) client.release(error ?? true);
      isReleased = true;
    };
    client.once('error', lost);
    client.on('notification', () => poll.soon());
    try {
      await client.query(`listen ${outboxChannel}`);
      // It may have been lost with its answer.
      if (!isReleased) stopListening = lost;
    } catch (error) {
      lost(error as Error);
      throw error;
    }
  }

  const failed = (error: unknown): never => {
    beginAnew();
    throw error;
  };

  async function look(): Promise<void> {
    await listen();
    // Lanes that begin to wait meanwhile were not asked about.
    const asked = [...waiting];
    if (asked.length === 0) return;
    const begunBefore = begun;
    const { now, windows, released, ahead } = await lookForNews(
      pool,
      new Map(asked.map(([lane, { from, reached }]) => [lane, { from, floor: reached.floor }])),
    );
    for (const [lane, one] of asked) {
      if (waiting.get(lane) !== one) continue;
      if (ahead.has(lane)) {
        waiting.delete(lane);
        one.reject(new DatabaseSetBack(lane));
        continue;
      }
      const news = released.has(lane) ? 'released' : windows.get(lane);
      if (news === undefined) {
        // Nothing lies between the two. Only remembered here: whoever starts from the stored one finds nothing either.
        if (begun === begunBefore) one.from = now;
      } else {
        waiting.delete(lane);
        one.resolve(news);
      }
    }
  }

  return {
    nextOf(lane, reached, laneSignal) {
      if (laneSignal.aborted) return Promise.resolve(undefined);
      waiting.get(lane)?.resolve(undefined);
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          waiting.delete(lane);
          resolve(undefined);
        };
        laneSignal.addEventListener('abort', leave, { once: true });
        waiting.set(lane, {
          ...{ reached, from: reached.from },
          resolve: (news) => {
            laneSignal.removeEventListener('abort', leave);
            resolve(news);
          },
          reject: (error) => {
            laneSignal.removeEventListener('abort', leave);
            reject(error);
          },
        });
        // There may be news since.
        poll.soon();
      });
    },
    async run() {
      await poll.run(() => look().catch(failed), {
        everyMs: pollMs,
        signal,
        log,
        trouble: 'the relay cannot look into the outbox',
      });
      stopListening?.();
    },
  };
}
