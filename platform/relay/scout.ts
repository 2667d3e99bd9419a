import type { Pool } from 'pg';
import { createPoll } from '../poll';
import type { KafkaLog } from '../kafka/client';
import { lookForNews, type Floor, type Reached, type Window } from './outboxReader';
import { outboxChannel } from './tell';

/** A window of facts, or that parked keys of the lane are released. */
export type LaneNews = Window | 'released';

export interface Scout {
  /**
   * What comes next of a lane above where it is, once there is something; undefined when the signal is aborted first, or
   * the lane is asked about anew.
   */
  nextOf(lane: number, reached: Reached, signal: AbortSignal): Promise<LaneNews | undefined>;
  run(): Promise<void>;
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
    { from: string; floor: Floor | null; resolve: (news: LaneNews | undefined) => void }
  >();
  const poll = createPoll();
  let stopListening: (() => void) | undefined;

  async function listen(): Promise<void> {
    if (stopListening !== undefined) return;
    const client = await pool.connect();
    // What a lost connection misses the poll finds; the next look listens anew.
    let isReleased = false;
    const lost = (error?: Error): void => {
      if (stopListening === lost) stopListening = undefined;
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

  async function look(): Promise<void> {
    await listen();
    // Lanes that begin to wait meanwhile were not asked about.
    const asked = [...waiting];
    if (asked.length === 0) return;
    const { now, windows, released } = await lookForNews(
      pool,
      new Map(asked.map(([lane, { from, floor }]) => [lane, { from, floor }])),
    );
    for (const [lane, one] of asked) {
      if (waiting.get(lane) !== one) continue;
      const news = released.has(lane) ? 'released' : windows.get(lane);
      if (news === undefined) {
        // Nothing lies between the two. Only remembered here: whoever starts from the stored one finds nothing either.
        one.from = now;
      } else {
        waiting.delete(lane);
        one.resolve(news);
      }
    }
  }

  return {
    nextOf(lane, { from, floor }, laneSignal) {
      if (laneSignal.aborted) return Promise.resolve(undefined);
      waiting.get(lane)?.resolve(undefined);
      return new Promise((resolve) => {
        const leave = (): void => {
          waiting.delete(lane);
          resolve(undefined);
        };
        laneSignal.addEventListener('abort', leave, { once: true });
        waiting.set(lane, {
          ...{ from, floor },
          resolve: (news) => {
            laneSignal.removeEventListener('abort', leave);
            resolve(news);
          },
        });
        // There may be news since.
        poll.soon();
      });
    },
    async run() {
      await poll.run(look, {
        everyMs: pollMs,
        signal,
        log,
        trouble: 'the relay cannot look into the outbox',
      });
      stopListening?.();
    },
  };
}
