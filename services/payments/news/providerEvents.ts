import type { Queryable } from '../../../platform/postgres';
import type { ReadNews } from './readNews';

/** An event as it is kept. */
export interface KeptEvent {
  /** Whose payment it is about; null where that is nobody's that we know. */
  readonly rideId: string | null;
  /** ISO 8601; null while whoever waits for it may not have been told. */
  readonly toldAt: string | null;
}

/**
 * Keeps an event once, however often it comes, and finds out whose it is: by the intent that is stored, or by what the
 * provider was given along with it where the intent's id is not stored yet.
 * @param createdAt seconds since 1970, by the provider's clock
 */
export async function keepEvent(
  db: Queryable,
  { news, about }: ReadNews,
  createdAt: number,
): Promise<KeptEvent> {
  const { rows } = await db.query<KeptEvent>({
    name: 'provider-event-keep',
    text: `insert into provider_events as kept (event_id, type, object_id, ride_id, created_at)
           values ($1, $2, $3,
             coalesce((select payment_id from provider_intents where intent_id = $4), $5::uuid), to_timestamp($6))
           on conflict (event_id) do update set ride_id = coalesce(kept.ride_id, excluded.ride_id)
           returning ride_id as "rideId", told_at as "toldAt"`,
    values: [
      news.eventId,
      news.type,
      news.objectId,
      about.about === 'payout' ? null : about.intentId,
      about.about === 'payment' ? about.rideId : null,
      createdAt,
    ],
  });
  return rows[0]!;
}

/** Remembers that an event has reached the workflow that waits for it; null where none does. */
export async function markTold(db: Queryable, eventId: string, workflowId: string | null): Promise<void> {
  await db.query(
    'update provider_events set told_at = now(), told_to = $2 where event_id = $1 and told_at is null',
    [eventId, workflowId],
  );
}
