import type { Payment } from '../../../domain/payment';
import { ACTION_NOTICED_MS, type PaymentNeed } from '../../../domain/paymentNeeds';
import type { Queryable } from '../../../platform/postgres';
import { openPayments, refundFailedPayments } from './paymentStore';

/** A payment that needs somebody. */
export interface NeedyPayment {
  readonly payment: Payment;
  readonly need: PaymentNeed;
  /** Whether its workflow says that it cannot go on alone. */
  readonly isStuck: boolean;
  /** Of its last fact, ISO 8601 in UTC. */
  readonly since: string;
  /** Of its last fact, where that has one. */
  readonly reason: string | null;
}

export interface NeedyPaymentsQuery {
  /** Those behind this ride's; null for the first. */
  readonly after: string | null;
  readonly limit: number;
  /** Only these; null for all. */
  readonly need: PaymentNeed | null;
  /** The rides whose payments' workflows say that they are stuck. */
  readonly stuck: readonly string[];
  /** ISO 8601 in UTC. */
  readonly at: string;
}

/** Payments that need somebody, in the order of their rides' ids: the oldest first. */
export async function needyPayments(
  db: Queryable,
  { after, limit, need, stuck, at }: NeedyPaymentsQuery,
): Promise<NeedyPayment[]> {
  const overdueBefore = new Date(Date.parse(at) - ACTION_NOTICED_MS).toISOString();
  const { rows } = await db.query<NeedyPayment>(sql, [
    after ?? '00000000-0000-0000-0000-000000000000',
    limit,
    need,
    stuck,
    overdueBefore,
  ]);
  return rows;
}

const needOf = `case
    when status = 'unresolved' then 'unresolved'
    when (state ->> 'owedMinor')::bigint > 0 then 'owed'
    when status = 'action_required' and (state ->> 'actionDeadlineAt')::timestamptz < $5 then 'action_overdue'
    when ${refundFailedPayments} then 'refund_failed'
  end`;

const among = (payments: string): string => `
    (select payment_id, version, state, ${needOf} as need from payments
      where ${payments} and payment_id > $1 and ${needOf} = coalesce($3, ${needOf})
      order by payment_id limit $2)`;

const sql = `
  with found as (
    ${among(openPayments)}
    union all
    ${among(`${refundFailedPayments} and not ${openPayments}`)}
    union all
    select payment_id, version, state, 'stuck' from payments
     where payment_id = any ($4) and payment_id > $1 and ${needOf} is null and coalesce($3, 'stuck') = 'stuck')
  select state as payment, need, payment_id = any ($4) as "isStuck",
         (fact ->> 'at')::timestamptz as since, fact -> 'data' ->> 'reason' as reason
    from found join steps on aggregate_id = payment_id::text and steps.version = found.version
   order by payment_id limit $2`;

/**
 * When these rides' payments have last moved, ISO 8601 in UTC, by ride: the deadline of a rider who is asked by their
 * bank, which may be still to come, or the time of the last fact. Those that have no payment are missing.
 */
export async function paymentsMovedAt(
  db: Queryable,
  rideIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ rideId: string; at: string }>(
    `select payment_id as "rideId",
            greatest((fact ->> 'at')::timestamptz, (state ->> 'actionDeadlineAt')::timestamptz) as at
       from payments join steps on aggregate_id = payment_id::text and steps.version = payments.version
      where payment_id = any ($1)`,
    [rideIds],
  );
  return new Map(rows.map(({ rideId, at }) => [rideId, at]));
}
