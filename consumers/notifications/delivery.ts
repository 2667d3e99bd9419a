import type { Logger } from '../../platform/log';
import type { Pool } from '../../platform/postgres';
import { backoffMs, wait } from '../../platform/wait';
import { recordOutcome, takeDue, type Due } from './queue';
import type { Post } from './webhook';

export interface DeliveryOptions {
  readonly pool: Pool;
  readonly post: Post;
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Posts at once (8). */
  readonly batchSize?: number;
  /** Longer than a post may take, with its recording (30 s). */
  readonly leaseMs?: number;
  /** Between looking for something to send when there was nothing (500 ms). */
  readonly pollMs?: number;
  /** After so many failures nobody tries again (15: about an hour and a half with the default back-off). */
  readonly maxAttempts?: number;
  readonly backoff?: { readonly minMs: number; readonly maxMs: number };
}

/**
 * Sends what is pending until the signal is aborted, then finishes the posts in hand. A notification is sent at least
 * once: who dies between an answer and its recording sends it again.
 */
export async function runDelivery(options: DeliveryOptions): Promise<void> {
  const { pool, signal, log, batchSize = 8, leaseMs = 30_000, pollMs = 500 } = options;
  while (!signal.aborted) {
    let sent = 0;
    try {
      const due = await takeDue(pool, batchSize, leaseMs);
      await Promise.all(due.map((one) => deliver(one, options)));
      sent = due.length;
    } catch (error) {
      log.warn({ err: error }, 'deliveries are not recorded, trying again');
    }
    if (sent === 0) await wait(pollMs, signal);
  }
}

async function deliver(due: Due, options: DeliveryOptions): Promise<void> {
  const { pool, post, log, now, maxAttempts = 15 } = options;
  const startedAt = now();
  const { status, error } = await post(due);
  const outcome = { at: new Date(startedAt).toISOString(), durationMs: now() - startedAt, status, error };
  const about = { notification: due.id, attempt: due.attempt, status, error };
  if (error === null) return recordOutcome(pool, due, outcome, 'delivered');
  if (due.attempt >= maxAttempts) {
    log.warn(about, 'notification given up');
    return recordOutcome(pool, due, outcome, 'given_up');
  }
  const againInMs = backoffMs(due.attempt - 1, options.backoff ?? { minMs: 1_000, maxMs: 15 * 60_000 });
  log.info({ ...about, againInMs }, 'notification not delivered');
  return recordOutcome(pool, due, outcome, { againInMs });
}
