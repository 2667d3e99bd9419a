import { createHash } from 'node:crypto';
import type { Queryable, Tx } from '../../../platform/postgres';

/** The provider is told nothing about a rider but a name that says nobody's: without our database it is no rider's. */
export const riderKeyOf = (riderId: string): string =>
  createHash('sha256').update(`rider/${riderId}`).digest('hex').slice(0, 32);

/** What is known at the provider of who pays. */
export interface KnownPayer {
  readonly riderId: string;
  /** The provider's id of the rider, or null before they were charged. */
  readonly customerId: string | null;
  /** The provider's id of the rider's card, or null before it was attached to them. */
  readonly paymentMethod: string | null;
}

/**
 * Who pays for a payment by the card of `token`, in one look.
 * @throws Error for a payment that was not opened
 */
export async function payerOf(db: Queryable, paymentId: string, token: string): Promise<KnownPayer> {
  const { rows } = await db.query<KnownPayer>({
    name: 'payer-get',
    text: `select state ->> 'riderId' as "riderId", customers.customer_id as "customerId",
                  cards.payment_method as "paymentMethod"
           from payments
           left join provider_customers customers on customers.rider_id = state ->> 'riderId'
           left join provider_cards cards on cards.customer_id = customers.customer_id and cards.token = $2
           where payment_id = $1`,
    values: [paymentId, token],
  });
  if (rows[0] === undefined) throw new Error(`impossible: payment ${paymentId} was not opened`);
  return rows[0];
}

/** Keeps who a rider is; the first one kept stays, and is returned. */
export async function storeCustomer(db: Queryable, riderId: string, customerId: string): Promise<string> {
  const { rows } = await db.query<{ customer_id: string }>(
    `insert into provider_customers (rider_id, customer_id) values ($1, $2)
     on conflict (rider_id) do update set customer_id = provider_customers.customer_id
     returning customer_id`,
    [riderId, customerId],
  );
  return rows[0]!.customer_id;
}

/**
 * Keeps a customer's card; the first one kept stays, and is returned. Of a customer who was forgotten meanwhile nothing is
 * kept.
 */
export async function storeCard(
  db: Queryable,
  { customerId, token, paymentMethod }: { customerId: string; token: string; paymentMethod: string },
): Promise<string> {
  const { rows } = await db.query<{ payment_method: string }>(
    `insert into provider_cards (customer_id, token, payment_method)
     select customer_id, $2, $3 from provider_customers where customer_id = $1
     on conflict (customer_id, token) do update set payment_method = provider_cards.payment_method
     returning payment_method`,
    [customerId, token, paymentMethod],
  );
  return rows[0]?.payment_method ?? paymentMethod;
}

/** @returns whether there was one: whoever else forgets the same one is told no */
export async function forgetCustomer(tx: Tx, customerId: string): Promise<boolean> {
  const { rowCount } = await tx.query('delete from provider_customers where customer_id = $1', [customerId]);
  return rowCount === 1;
}

export async function forgetCard(db: Queryable, customerId: string, token: string): Promise<void> {
  await db.query('delete from provider_cards where customer_id = $1 and token = $2', [customerId, token]);
}
