import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { WebhookDelivery } from '../../contracts/api/webhooks';
import { CodedError } from '../../platform/errors';
import { withTransaction, type Queryable, type Tx } from '../../platform/postgres';

/** Whose an endpoint is: what they may see is what it is told. */
export interface Owner {
  readonly role: 'rider' | 'operator';
  readonly id: string;
}

export interface Endpoint {
  readonly webhookId: string;
  readonly url: string;
  readonly description: string;
  readonly createdAt: string;
}

/** More would only multiply what is sent. */
const maxEndpoints = 10;
/** After a rotation the old secret signs too, for so long. */
export const rotationMs = 24 * 60 * 60_000;

const newSecret = (): string => `whsec_${randomBytes(32).toString('base64url')}`;
const columns = 'endpoint_id as "webhookId", url, description, created_at as "createdAt"';
const mine = 'owner_role = $1 and owner_id = $2 and deleted_at is null';

const notFound = (): CodedError => new CodedError('webhook_not_found', 'There is no webhook with this id.');

/**
 * Registers an endpoint and makes its secret, which is answered here only.
 * @throws CodedError `webhook_exists` (the owner has this URL), `too_many_webhooks`
 */
export async function createEndpoint(
  pool: Pool,
  { role, id }: Owner,
  { url, description }: Pick<Endpoint, 'url' | 'description'>,
): Promise<Endpoint & { secret: string }> {
  const secret = newSecret();
  return withTransaction(pool, async (tx) => {
    // One after another, so that they are counted right.
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [`${role} ${id}`]);
    const owned = await listEndpoints(tx, { role, id });
    const same = owned.find((one) => one.url === url);
    if (same) {
      const { webhookId } = same;
      throw new CodedError('webhook_exists', 'There is a webhook with this URL.', { webhookId });
    }
    if (owned.length >= maxEndpoints) {
      throw new CodedError('too_many_webhooks', `There are ${maxEndpoints} already: delete one first.`);
    }
    const { rows } = await tx.query<Endpoint>(
      `insert into webhook_endpoints (endpoint_id, owner_role, owner_id, url, description, secret)
       values ($1, $2, $3, $4, $5, $6) returning ${columns}`,
      [uuidv7(), role, id, url, description, secret],
    );
    return { ...rows[0]!, secret };
  });
}

/** The owner's endpoints, the oldest first. */
export async function listEndpoints(db: Queryable, { role, id }: Owner): Promise<Endpoint[]> {
  const { rows } = await db.query<Endpoint>(
    `select ${columns} from webhook_endpoints where ${mine} order by created_at, endpoint_id`,
    [role, id],
  );
  return rows;
}

/**
 * Ends an endpoint: what was not delivered is given up, and its secret is forgotten.
 * @throws CodedError `webhook_not_found`, also for somebody else's
 */
export async function deleteEndpoint(pool: Pool, { role, id }: Owner, webhookId: string): Promise<void> {
  await withTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      `update webhook_endpoints set deleted_at = now(), secret = '', previous_secret = null
       where ${mine} and endpoint_id = $3`,
      [role, id, webhookId],
    );
    if (rowCount !== 1) throw notFound();
    await tx.query(
      `update deliveries set state = 'given_up', ended_at = now() where endpoint_id = $1 and state = 'pending'`,
      [webhookId],
    );
  });
}

/** Forgets the endpoints of riders who were erased; what was to be posted to them is given up. */
export async function forgetEndpoints(tx: Tx, riderIds: readonly string[]): Promise<void> {
  if (riderIds.length === 0) return;
  await tx.query(
    `with gone as (
       update webhook_endpoints set deleted_at = coalesce(deleted_at, now()), url = '', description = '', secret = '',
         previous_secret = null
       where owner_role = 'rider' and owner_id = any ($1) returning endpoint_id
     )
     update deliveries set state = 'given_up', ended_at = now()
     from gone where deliveries.endpoint_id = gone.endpoint_id and state = 'pending'`,
    [riderIds],
  );
}

/**
 * Gives an endpoint a new secret, answered here only. The old one signs beside it for a day.
 * @throws CodedError `webhook_not_found`, also for somebody else's
 */
export async function rotateSecret(
  pool: Pool,
  { role, id }: Owner,
  webhookId: string,
): Promise<{ secret: string; previousUntil: string }> {
  const secret = newSecret();
  const { rows } = await pool.query<{ previousUntil: string }>(
    `update webhook_endpoints set previous_secret = secret, secret = $4,
       previous_until = now() + $5 * interval '1 millisecond'
     where ${mine} and endpoint_id = $3 returning previous_until as "previousUntil"`,
    [role, id, webhookId, secret, rotationMs],
  );
  if (!rows[0]) throw notFound();
  return { secret, ...rows[0] };
}

export interface DeliveriesPage {
  readonly state?: 'pending' | 'delivered' | 'given_up' | undefined;
  readonly limit: number;
  /** Only those before this place, which an earlier page ended with. */
  readonly before?: number | undefined;
}

/**
 * What was and will be posted to an endpoint, the newest first, each with its attempts.
 * @throws CodedError `webhook_not_found`, also for somebody else's
 */
export async function listDeliveries(
  pool: Pool,
  { role, id }: Owner,
  webhookId: string,
  { state, limit, before }: DeliveriesPage,
): Promise<{ deliveries: WebhookDelivery[]; next: number | null }> {
  const own = await listEndpoints(pool, { role, id });
  if (!own.some((one) => one.webhookId === webhookId)) throw notFound();
  const { rows } = await pool.query<WebhookDelivery & { place: number }>(
    `select delivery_id as "deliveryId", fact_id as "factId", ride_id as "rideId", state, created_at as "createdAt",
       case when state = 'pending' then next_attempt_at end as "nextAttemptAt", place,
       (select coalesce(json_agg(json_build_object('attempt', attempt, 'at',
            to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'durationMs', duration_ms, 'status', status, 'error', error) order by attempt), '[]')
        from delivery_attempts a where a.delivery_id = d.delivery_id) as attempts
     from deliveries d
     where endpoint_id = $1 and ($2::text is null or state = $2) and ($3::bigint is null or place < $3)
     order by place desc limit $4`,
    [webhookId, state ?? null, before ?? null, limit],
  );
  return {
    deliveries: rows.map(({ place: _, ...delivery }) => delivery),
    next: rows.length === limit ? rows.at(-1)!.place : null,
  };
}

/** The one endpoint that the configuration names: it gets notifications, and may lie in our own network. */
export const houseEndpointId = '00000000-0000-0000-0000-000000000000';

/** Sets the house's endpoint as it is configured; with null nobody gets notifications. */
export async function setHouseEndpoint(
  pool: Pool,
  receiver: { readonly url: string; readonly secret: string } | null,
): Promise<void> {
  await pool.query(
    `update webhook_endpoints set url = $2, secret = $3, deleted_at = case when $4 then null else now() end
     where endpoint_id = $1`,
    [houseEndpointId, receiver?.url ?? '', receiver?.secret ?? '', receiver !== null],
  );
}

/** Who is told of rides of these riders: the endpoint's id, and the rider that it belongs to or null for all. */
export interface Listener {
  readonly endpointId: string;
  readonly role: 'house' | Owner['role'];
  readonly ownerId: string;
}

/** The endpoints that may be told of something about rides of these riders. */
export async function listenersFor(db: Queryable, riderIds: readonly string[]): Promise<Listener[]> {
  const { rows } = await db.query<Listener>({
    name: 'webhook-listeners',
    text: `select endpoint_id as "endpointId", owner_role as role, owner_id as "ownerId" from webhook_endpoints
           where deleted_at is null and (owner_role <> 'rider' or owner_id = any ($1))`,
    values: [riderIds],
  });
  return rows;
}
