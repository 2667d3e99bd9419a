import type { Logger } from '../../platform/log';
import { createPoll } from '../../platform/poll';
import type { Pool } from '../../platform/postgres';
import { houseEndpointId } from './endpoints';
import { forgetEnded, recordOutcome, takeDue, type Due } from './queue';
import { pauseAfter, type Failed } from './schedule';
import type { Post } from './webhook';

const DAY = 24 * 60 * 60_000;

export interface DeliveryOptions {
  readonly pool: Pool;
  readonly post: Post;
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Posts at once: to all who registered (200), to one owner's endpoints (16), and to one endpoint (8). */
  readonly atOnce?: number;
  readonly perOwner?: number;
  readonly perEndpoint?: number;
  /** Longer than a post may take, with its recording (30 s). */
  readonly leaseMs?: number;
  /** Between looking for something to send when there was nothing (500 ms). */
  readonly pollMs?: number;
  /** The pause after an attempt that failed; null gives up. */
  readonly pause?: (failed: Failed) => number | null;
  /** Deliveries that have ended are kept for so long (30 days). */
  readonly keepMs?: number;
}

/**
 * Posts what is due until the signal is aborted, then finishes the posts in hand. Each endpoint has a lane of its own:
 * one that hangs holds up nobody else, and the house's own is beside all others, however many of these are slow. A
 * delivery is posted at least once: who dies between an answer and its recording posts it again, with the same id.
 */
export async function runDelivery(options: DeliveryOptions): Promise<void> {
  const { pool, signal, log, now, leaseMs = 30_000, pollMs = 500 } = options;
  const { atOnce = 200, perOwner = 16, perEndpoint = 8 } = options;
  const lanes = new Map<string, Promise<unknown>>();
  const busy = new Map<string, number>();
  let forgetAt = 0;
  const poll = createPoll();

  async function look(): Promise<void> {
    if (now() >= forgetAt) {
      await forgetEnded(pool, options.keepMs ?? 30 * DAY);
      forgetAt = now() + DAY / 24;
    }
    const limit = Math.max(0, atOnce - postsToRegistered(busy));
    const due = await takeDue(pool, { limit, perEndpoint, perOwner, busy, leaseMs });
    const taken = new Map<string, Due[]>();
    for (const one of due) taken.set(one.endpointId, [...(taken.get(one.endpointId) ?? []), one]);
    for (const [endpointId, some] of taken) {
      busy.set(endpointId, some.length);
      const lane = Promise.all(some.map((one) => deliver(one, options))).then(() => {
        busy.delete(endpointId);
        lanes.delete(endpointId);
        poll.soon();
      });
      lanes.set(endpointId, lane);
    }
  }

  await poll.run(look, { everyMs: pollMs, signal, log, trouble: 'nothing is delivered' });
  await Promise.all(lanes.values());
}

const postsToRegistered = (busy: ReadonlyMap<string, number>): number =>
  [...busy].reduce((sum, [endpointId, posts]) => sum + (endpointId === houseEndpointId ? 0 : posts), 0);

async function deliver(due: Due, options: DeliveryOptions): Promise<void> {
  const { pool, post, log, now, pause = pauseAfter } = options;
  const startedAt = now();
  const { status, error } = await post(due);
  const endedAt = now();
  const outcome = { at: new Date(startedAt).toISOString(), durationMs: endedAt - startedAt, status, error };
  const { deliveryId, endpointId, attempt } = due;
  const about = { deliveryId, endpointId, attempt, status, error };
  try {
    if (error === null) return await recordOutcome(pool, due, outcome, 'delivered');
    const writtenAt = Date.parse(due.createdAt);
    const againInMs = pause({ attempt, writtenAt, now: endedAt, random: Math.random() });
    if (againInMs === null) log.warn(about, 'delivery given up');
    else log.info({ ...about, againInMs }, 'not delivered');
    await recordOutcome(pool, due, outcome, againInMs === null ? 'given_up' : { againInMs });
  } catch (failure) {
    // It is due again when its lease is over.
    log.warn({ err: failure, ...about }, 'an attempt was not recorded');
  }
}
