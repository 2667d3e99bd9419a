import { withTransaction, type Pool } from '../../platform/postgres';
import type { Notification } from './store';

/** A notification that is ours to send until its lease is over. */
export interface Due extends Notification {
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** What became of an attempt. */
export interface Outcome {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly durationMs: number;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  readonly error: string | null;
}

/**
 * Takes up to `limit` notifications that are due and leases them: nobody else sends them meanwhile, and if we die they
 * are due again when the lease is over. Nothing is locked while they are sent.
 */
export async function takeDue(pool: Pool, limit: number, leaseMs: number): Promise<Due[]> {
  const { rows } = await pool.query<Due>({
    name: 'notifications-take',
    text: `with due as (
             select id from notifications where state = 'pending' and next_attempt_at <= now()
             order by next_attempt_at limit $1 for update skip locked
           )
           update notifications n
           set attempts = attempts + 1, next_attempt_at = now() + $2 * interval '1 millisecond'
           from due where n.id = due.id
           returning n.id, fact_id as "factId", ride_id as "rideId", role, recipient_id as "recipientId", channel,
             template, text, occurred_at as "occurredAt", attempts as attempt`,
    values: [limit, leaseMs],
  });
  return rows;
}

/** Records an attempt, and what follows from it: delivered, given up, or tried again in so many milliseconds. */
export async function recordOutcome(
  pool: Pool,
  { id, attempt }: Due,
  outcome: Outcome,
  then: 'delivered' | 'given_up' | { readonly againInMs: number },
): Promise<void> {
  const againInMs = typeof then === 'object' ? then.againInMs : null;
  await withTransaction(pool, async (tx) => {
    await tx.query({
      name: 'notifications-attempt',
      text: `insert into notification_attempts (notification_id, attempt, at, duration_ms, status, error)
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
      values: [id, attempt, outcome.at, Math.round(outcome.durationMs), outcome.status, outcome.error],
    });
    await tx.query({
      name: 'notifications-settle',
      // Somebody who took it over after our lease may have delivered it: that stays.
      text: `update notifications set state = $2, delivered_at = case when $2 = 'delivered' then now() end,
               next_attempt_at = now() + coalesce($3::int, 0) * interval '1 millisecond'
             where id = $1 and state = 'pending'`,
      values: [id, typeof then === 'string' ? then : 'pending', againInMs],
    });
  });
}
