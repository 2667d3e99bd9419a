import { withTransaction, type Pool } from '../../platform/postgres';
import type { Letter } from './webhook';

/** A delivery that is ours to post until its lease is over. */
export interface Due extends Letter {
  readonly endpointId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** When it was written, ISO 8601 UTC. */
  readonly createdAt: string;
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

export interface TakeOptions {
  /** Deliveries at most, to endpoints that people registered: the house's own always has its share. */
  readonly limit: number;
  /** Of one endpoint at most; of one that fails, one. */
  readonly perEndpoint: number;
  /** Of all endpoints of one owner at most, with what is being posted. */
  readonly perOwner: number;
  /** How many we are posting to an endpoint already: nothing more of theirs. */
  readonly busy: ReadonlyMap<string, number>;
  readonly leaseMs: number;
}

/**
 * Takes deliveries that are due, and leases them: nobody else posts them meanwhile, and if we die they are due again
 * when the lease is over. Nothing is locked while they are posted. Every endpoint gets one before any gets its second,
 * and who has waited longest is first: endpoints that answer, but slowly, do not take the places of all others.
 */
export async function takeDue(
  pool: Pool,
  { limit, perEndpoint, perOwner, busy, leaseMs }: TakeOptions,
): Promise<Due[]> {
  const { rows } = await pool.query<Due>({
    name: 'deliveries-take',
    // Two senders may find the same delivery: the second waits for the first's lock and then finds it leased.
    text: `with posting as (
             select owner_role, owner_id, sum(posts) as posts
             from unnest($3::uuid[], $4::int[]) as busy (endpoint_id, posts)
               join webhook_endpoints using (endpoint_id)
             group by owner_role, owner_id
           ), lanes as (
             select endpoint_id, url, owner_role = 'house' as trusted, owner_role, owner_id,
               $5::int - coalesce(posts, 0) as room,
               case when previous_until > now() then array[secret, previous_secret] else array[secret] end as secrets,
               case when failures = 0 then $2::int else 1 end as width
             from webhook_endpoints left join posting using (owner_role, owner_id)
             where deleted_at is null and endpoint_id <> all ($3::uuid[])
           ), shares as (
             select first.*, lanes.*,
               row_number() over (partition by owner_role, owner_id order by place, next_attempt_at) as owners
             from lanes cross join lateral (
               select delivery_id, next_attempt_at, row_number() over (order by next_attempt_at) as place from (
                 select delivery_id, next_attempt_at from deliveries
                 where deliveries.endpoint_id = lanes.endpoint_id and state = 'pending' and next_attempt_at <= now()
                 order by next_attempt_at limit $2::int
               ) as oldest
             ) as first
             where place <= width
           ), due as (
             select * from shares where trusted
             union all
             (select * from shares where not trusted and owners <= room
              order by place, next_attempt_at limit $1::int)
           )
           update deliveries d
           set attempts = attempts + 1, next_attempt_at = now() + $6 * interval '1 millisecond'
           from due where d.delivery_id = due.delivery_id and d.state = 'pending' and d.next_attempt_at <= now()
           returning d.delivery_id as "deliveryId", d.endpoint_id as "endpointId", due.url, due.secrets, due.trusted,
             d.body, d.attempts as attempt, d.created_at as "createdAt"`,
    values: [limit, perEndpoint, [...busy.keys()], [...busy.values()], perOwner, leaseMs],
  });
  return rows;
}

/** Records an attempt, and what follows from it: delivered, given up, or tried again in so many milliseconds. */
export async function recordOutcome(
  pool: Pool,
  { deliveryId, endpointId, attempt }: Pick<Due, 'deliveryId' | 'endpointId' | 'attempt'>,
  outcome: Outcome,
  then: 'delivered' | 'given_up' | { readonly againInMs: number },
): Promise<void> {
  const againInMs = typeof then === 'object' ? then.againInMs : null;
  const { at, durationMs, status, error } = outcome;
  await withTransaction(pool, async (tx) => {
    await tx.query({
      name: 'deliveries-attempt',
      text: `insert into delivery_attempts (delivery_id, attempt, at, duration_ms, status, error)
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
      values: [deliveryId, attempt, at, Math.round(durationMs), status, error],
    });
    await tx.query({
      name: 'deliveries-settle',
      // Somebody who took it over after our lease may have delivered it: that stays.
      text: `update deliveries set state = $2, ended_at = case when $2 <> 'pending' then now() end,
               next_attempt_at = now() + coalesce($3::int, 0) * interval '1 millisecond'
             where delivery_id = $1 and state = 'pending'`,
      values: [deliveryId, typeof then === 'string' ? then : 'pending', againInMs],
    });
    await tx.query({
      name: 'deliveries-endpoint',
      // Only a change is written: a busy endpoint is one row.
      text: `update webhook_endpoints set failures = case when $2 then 0 else failures + 1 end
             where endpoint_id = $1 and ($2 is false or failures > 0)`,
      values: [endpointId, error === null],
    });
  });
}

/** Forgets deliveries, with their attempts, that ended longer ago than this. */
export async function forgetEnded(pool: Pool, keepMs: number): Promise<void> {
  await pool.query({
    name: 'deliveries-forget',
    text: `delete from deliveries where ended_at < now() - $1 * interval '1 millisecond'`,
    values: [keepMs],
  });
}
