import type { Tx } from '../../platform/postgres';
import type { Channel, Role } from './messages';

/** What is said to one person about one fact. */
export interface Notification {
  readonly id: string;
  readonly factId: string;
  /** Null where it is about no ride. */
  readonly rideId: string | null;
  readonly role: Role;
  readonly recipientId: string;
  readonly channel: Channel;
  readonly template: string;
  readonly text: string;
  /** When what it is about happened, ISO 8601 UTC. */
  readonly occurredAt: string;
}

/** Remembers who takes which ride: ride id to rider id. */
export async function rememberRiders(tx: Tx, riders: ReadonlyMap<string, string>): Promise<void> {
  if (riders.size === 0) return;
  await tx.query({
    name: 'notifications-remember',
    // A ride's and its payment's batches may write the same rows at once: in one order, so that one waits.
    text: `insert into ride_riders (ride_id, rider_id)
           select * from unnest($1::uuid[], $2::text[]) as named (ride_id, rider_id) order by ride_id
           on conflict (ride_id) do nothing`,
    values: [[...riders.keys()], [...riders.values()]],
  });
}

/** The riders of those of the rides that are known. */
export async function ridersOf(tx: Tx, rideIds: readonly string[]): Promise<Map<string, string>> {
  if (rideIds.length === 0) return new Map();
  const { rows } = await tx.query<{ rideId: string; riderId: string }>({
    name: 'notifications-riders',
    text: 'select ride_id as "rideId", rider_id as "riderId" from ride_riders where ride_id = any ($1::uuid[])',
    values: [rideIds],
  });
  return new Map(rows.map(({ rideId, riderId }) => [rideId, riderId]));
}

/** Writes notifications, one statement for all. One that is there already stays as it is. */
export async function writeNotifications(tx: Tx, notifications: readonly Notification[]): Promise<void> {
  if (notifications.length === 0) return;
  const column = <K extends keyof Notification>(name: K) => notifications.map((one) => one[name]);
  await tx.query({
    name: 'notifications-write',
    text: `insert into notifications
             (id, fact_id, ride_id, role, recipient_id, channel, template, text, occurred_at)
           select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[],
             $7::text[], $8::text[], $9::timestamptz[])
           on conflict (id) do nothing`,
    values: [
      ...[column('id'), column('factId'), column('rideId'), column('role'), column('recipientId')],
      ...[column('channel'), column('template'), column('text'), column('occurredAt')],
    ],
  });
}

/** What is to be posted to an endpoint. */
export interface Delivery {
  readonly deliveryId: string;
  readonly endpointId: string;
  readonly factId: string;
  readonly rideId: string | null;
  readonly body: string;
}

/** Writes deliveries, due at once; one that is there already stays as it is. */
export async function writeDeliveries(tx: Tx, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  const column = <K extends keyof Delivery>(name: K) => deliveries.map((one) => one[name]);
  await tx.query({
    name: 'deliveries-write',
    text: `insert into deliveries (delivery_id, endpoint_id, fact_id, ride_id, body)
           select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[])
           on conflict (delivery_id) do nothing`,
    values: [
      ...[column('deliveryId'), column('endpointId'), column('factId'), column('rideId'), column('body')],
    ],
  });
}
