import type { PaymentTimeline, TimelineEntry } from '../../../contracts/api/payments';
import type { Queryable } from '../../../platform/postgres';
import { riderKeyOf } from '../books/customerStore';
import { getPayment } from '../books/paymentStore';
import { viewOf } from './view';

const MOST_ATTEMPTS = 500;

type Kind = TimelineEntry['kind'];
type EntryOf<K extends Kind> = Extract<TimelineEntry, { kind: K }>;
type Row<K extends Kind> = Omit<EntryOf<K>, 'kind'>;

/** Everything that the payments database has on a ride's payment, by its time; null where it has nothing. */
export async function timelineOf(db: Queryable, rideId: string): Promise<PaymentTimeline | null> {
  const rows = async <K extends Kind>(kind: K, sql: string, ...more: string[]): Promise<EntryOf<K>[]> => {
    const { rows: found } = await db.query<Row<K>>(sql, [rideId, ...more]);
    return found.map((row) => ({ kind, ...row }) as unknown as EntryOf<K>);
  };
  const stored = await getPayment(db, rideId);
  const rider = stored === null ? '' : `rider/${riderKeyOf(stored.riderId)}`;
  const attempts = await rows('attempt', attemptsSql, rider);
  const entries: TimelineEntry[] = [
    ...(await rows('intent', intentsSql)),
    ...attempts.slice(0, MOST_ATTEMPTS),
    ...(await rows('webhook', webhooksSql)),
    ...(await rows('fact', factsSql)).map((fact) => ({ ...fact, data: withoutMeans(fact.data) })),
    ...(await rows('dispute', disputesSql)),
    ...(await rows('ledger', ledgerSql)),
  ];
  if (stored === null && entries.length === 0) return null;
  return {
    rideId,
    payment: stored && (await viewOf(db, stored)),
    entries: entries.sort((a, b) => a.at.localeCompare(b.at)),
    attemptsLeftOut: Math.max(0, attempts.length - MOST_ATTEMPTS),
  };
}

/** The kind of payment in place of its means: nobody who looks needs the token. */
function withoutMeans(data: Record<string, unknown>): Record<string, unknown> {
  const kindOf = (method: unknown) => ({ type: (method as { type: string }).type });
  return {
    ...data,
    ...('method' in data ? { method: kindOf(data['method']) } : {}),
    ...(Array.isArray(data['fallbacks']) ? { fallbacks: data['fallbacks'].map(kindOf) } : {}),
  };
}

const factsSql = `
  select (fact ->> 'at')::timestamptz as at, fact_type as type, version, fact -> 'data' as data
  from steps where aggregate_id = $1::uuid::text order by version`;

const disputesSql = `
  select (fact ->> 'at')::timestamptz as at, dispute_id as "disputeId", fact_type as type, steps.version,
         fact -> 'data' as data
  from disputes join steps on aggregate_id = dispute_id where ride_id = $1 order by dispute_id, steps.version`;

const intentsSql = `
  select created_at as at, intent_id as "intentId", purpose, intent_version as "intentVersion"
  from provider_intents where payment_id = $1`;

/** Those whose key names the ride, and those that were about one of its objects or its rider; the newest first. */
const attemptsSql = `
  select at, request, idempotency_key as "idempotencyKey", object_id as "objectId", ms, outcome,
         http_status as "httpStatus", request_id as "requestId"
  from provider_attempts
  where ride_id = $1 or object_id in (
    select intent_id from provider_intents where payment_id = $1
    union all select dispute_id from disputes where ride_id = $1
    union all select fact -> 'data' ->> 'refundId' from steps
      where aggregate_id = $1::uuid::text and fact_type = 'payment.refunded'
    union all select customer_id from payments
      join provider_customers on rider_id = state ->> 'riderId' where payment_id = $1
    union all select $2)
  order by at desc limit 10000`;

const webhooksSql = `
  select received_at as at, event_id as "eventId", type, object_id as "objectId", created_at as "createdAt",
         told_at as "toldAt", told_to as "toldTo"
  from provider_events where ride_id = $1`;

const ledgerSql = `
  select recorded_at as at, transaction_id as "transactionId", kind as "bookedFor",
         (select jsonb_agg(jsonb_build_object('account', account, 'currency', currency, 'amountMinor', amount_minor)
                           order by entry_id)
          from ledger_entries where ledger_entries.transaction_id = ledger_transactions.transaction_id) as lines
  from ledger_transactions where payment_id = $1`;
