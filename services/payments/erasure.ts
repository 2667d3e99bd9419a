import type { Pool } from 'pg';
import type { ErasureBlocker } from '../../contracts/api/erasure';
import { withoutSubject } from '../../contracts/personal';
import { ERASED } from '../../contracts/personalMarks';
import { openDisputeStatuses } from '../../domain/dispute';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact } from '../../domain/paymentFacts';
import { rewriteFacts } from '../../platform/personal/steps';
import { withTransaction, type Queryable, type Tx } from '../../platform/postgres';
import { openPayments, refundFailedPayments } from './books/paymentStore';

/** Payments that are changed in one transaction. */
const AT_ONCE = 100;

/** What of a person's money is under way. @param rideIds the rides that they asked for */
export async function paymentsInTheWay(
  db: Queryable,
  subject: string,
  rideIds: readonly string[],
): Promise<ErasureBlocker[]> {
  const { rows } = await db.query<ErasureBlocker>(
    `select case when status = 'owed' or (state ->> 'owedMinor')::bigint > 0 then 'debt' else 'payment' end as kind,
       payment_id::text as id
     from payments where payment_id = any ($2) and (${openPayments} or ${refundFailedPayments})
     union all select 'dispute', dispute_id from disputes where ride_id = any ($2) and status = any ($3)
     union all select 'payout', payout_id::text from payouts where driver_id = $1 and status = 'started'`,
    [subject, rideIds, openDisputeStatuses],
  );
  return rows;
}

/**
 * Blots a person out of the payments database: tokens and typed words in the facts that steps remember and the rows that
 * are folded from them, what was said to banks, pages for the rider, and who they are at the provider. The ledger stays: it
 * has amounts and opaque ids. Safe to repeat.
 * @param rideIds the rides that they asked for
 */
export async function blotPayments(pool: Pool, subject: string, rideIds: readonly string[]): Promise<void> {
  for (let start = 0; start < rideIds.length; start += AT_ONCE) {
    const some = rideIds.slice(start, start + AT_ONCE);
    await withTransaction(pool, (tx) => blotSome(tx, subject, some));
  }
  await pool.query('delete from provider_customers where rider_id = $1', [subject]);
}

async function blotSome(tx: Tx, subject: string, rideIds: readonly string[]): Promise<void> {
  await tx.query('select from payments where payment_id = any ($1) order by payment_id for update', [
    rideIds,
  ]);
  const facts = await rewriteFacts(tx, rideIds, ({ type, data }) =>
    withoutSubject(type, data, subject, { riderId: subject }),
  );
  const states = [...facts].map(([, ofPayment]) =>
    (ofPayment as PaymentFact[]).reduce<Payment | null>(foldPayment, null)!,
  );
  await tx.query(
    `update payments set state = now.state from unnest($1::uuid[], $2::jsonb[]) as now (payment_id, state)
     where payments.payment_id = now.payment_id`,
    [states.map(({ rideId }) => rideId), states.map((state) => JSON.stringify(state))],
  );
  await tx.query(
    `update dispute_evidence set text = $2 where dispute_id in (select dispute_id from disputes where ride_id = any ($1))`,
    [rideIds, ERASED],
  );
  await tx.query('update provider_intents set action_url = null where payment_id = any ($1)', [rideIds]);
}
