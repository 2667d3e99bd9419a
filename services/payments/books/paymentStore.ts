import { openPaymentStatuses, type Payment } from '../../../domain/payment';
import type { Queryable, Tx } from '../../../platform/postgres';

/** A ride's payment as committed, or null before it was opened. Its id is the ride's. */
export async function getPayment(db: Queryable, paymentId: string): Promise<Payment | null> {
  const { rows } = await db.query<{ state: Payment }>({
    name: 'payment-get',
    text: 'select state from payments where payment_id = $1',
    values: [paymentId],
  });
  return rows[0]?.state ?? null;
}

/** The payment as committed, its row locked until the transaction ends. */
export async function lockPayment(tx: Tx, paymentId: string): Promise<Payment | null> {
  const { rows } = await tx.query<{ state: Payment }>({
    name: 'payment-lock',
    text: 'select state from payments where payment_id = $1 for update',
    values: [paymentId],
  });
  return rows[0]?.state ?? null;
}

/**
 * The payments that are not settled, as a condition of SQL: those that wait for somebody, and debts. By literals, as the
 * partial index `payments_open` has it.
 */
export const openPayments = `(status in (${openPaymentStatuses.map((status) => `'${status}'`).join(', ')})
  or (state ->> 'owedMinor')::bigint > 0)`;

/** Those that have a refund that failed, which the rider does not have otherwise yet; as the index `payments_refund_failed`. */
export const refundFailedPayments = `(state ->> 'refundFailedMinor')::bigint > 0`;

/**
 * Writes the payment's new state over the version before it.
 * @throws Error where the version is another one: the caller holds the row's lock, so that cannot be
 */
export async function putPayment(tx: Tx, payment: Payment): Promise<void> {
  const { rowCount } = await tx.query({
    name: 'payment-put',
    text: `insert into payments (payment_id, version, state) values ($1, $2, $3)
           on conflict (payment_id) do update set version = excluded.version, state = excluded.state
           where payments.version = excluded.version - 1`,
    values: [payment.rideId, payment.version, JSON.stringify(payment)],
  });
  if (rowCount !== 1)
    throw new Error(`impossible: payment ${payment.rideId} was not at version ${payment.version - 1}`);
}

/**
 * What an intent at the provider is for: the hold on the fare, a tip, what the hold did not give, or an operator's
 * extra.
 */
export interface IntentRef {
  readonly paymentId: string;
  readonly purpose: 'hold' | 'tip' | 'charge' | 'extra';
  /** Counts the intents of one purpose: a tip that was declined and given again is a new intent. */
  readonly intentVersion: number;
}

/** The provider's id of an intent, or null when none was stored: then nothing was confirmed either. */
export async function storedIntentId(db: Queryable, ref: IntentRef): Promise<string | null> {
  const { rows } = await db.query<{ intent_id: string }>({
    name: 'intent-get',
    text: 'select intent_id from provider_intents where payment_id = $1 and purpose = $2 and intent_version = $3',
    values: [ref.paymentId, ref.purpose, ref.intentVersion],
  });
  return rows[0]?.intent_id ?? null;
}

/** Whether the house has made this intent for the payment. */
export async function hasIntent(db: Queryable, paymentId: string, intentId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'select from provider_intents where payment_id = $1 and intent_id = $2',
    [paymentId, intentId],
  );
  return rowCount === 1;
}

/** Stores an intent's id; the first one stored stays, and is returned. */
export async function storeIntentId(db: Queryable, ref: IntentRef, intentId: string): Promise<string> {
  const { rows } = await db.query<{ intent_id: string }>({
    name: 'intent-store',
    text: `insert into provider_intents (payment_id, purpose, intent_version, intent_id) values ($1, $2, $3, $4)
           on conflict (payment_id, purpose, intent_version)
           do update set intent_id = provider_intents.intent_id
           returning intent_id`,
    values: [ref.paymentId, ref.purpose, ref.intentVersion, intentId],
  });
  return rows[0]!.intent_id;
}

/** Every intent of its purpose: a version for `buryIntent`. */
export const ALL_VERSIONS = 0;

/**
 * Has an intent not come about any more, or all of a purpose: whoever is about to confirm one looks first (`isBuried`).
 * Each writes before it reads, so of a confirm and a burial at once at least one sees the other.
 * @returns the provider's id where one is stored: that intent may be confirmed already, and has to be cancelled
 */
export async function buryIntent(db: Queryable, ref: IntentRef): Promise<string | null> {
  await db.query({
    name: 'intent-bury',
    text: `insert into given_up_intents (payment_id, purpose, intent_version) values ($1, $2, $3)
           on conflict do nothing`,
    values: [ref.paymentId, ref.purpose, ref.intentVersion],
  });
  return storedIntentId(db, ref);
}

/** Whether an intent is given up. Ask when its id is stored, and before it is confirmed. */
export async function isBuried(db: Queryable, ref: IntentRef): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'intent-is-buried',
    text: `select from given_up_intents
           where payment_id = $1 and purpose = $2 and intent_version in ($3, ${ALL_VERSIONS})`,
    values: [ref.paymentId, ref.purpose, ref.intentVersion],
  });
  return rowCount !== 0;
}

/** The holds that were asked for, the first one first. Whether one still holds anything, the provider knows. */
export async function storedHolds(
  db: Queryable,
  paymentId: string,
): Promise<{ intentVersion: number; intentId: string }[]> {
  const { rows } = await db.query<{ intentVersion: number; intentId: string }>({
    name: 'intents-holds',
    text: `select intent_version as "intentVersion", intent_id as "intentId" from provider_intents
           where payment_id = $1 and purpose = 'hold' order by intent_version`,
    values: [paymentId],
  });
  return rows;
}

/** Keeps the page on which the rider answers their bank. */
export async function storeActionUrl(db: Queryable, intentId: string, url: string): Promise<void> {
  await db.query('update provider_intents set action_url = $2 where intent_id = $1', [intentId, url]);
}

/** Which key a step uses at the provider: 1, or more after keys whose stored answer is a server error or a refusal. */
export async function keyVersion(db: Queryable, step: string): Promise<number> {
  const { rows } = await db.query<{ key_version: number }>({
    name: 'key-version',
    text: 'select key_version from provider_keys where step = $1',
    values: [step],
  });
  return rows[0]?.key_version ?? 1;
}

/** Moves a step from key `from` to the next; does nothing when that was done already. */
export async function retireKey(db: Queryable, step: string, from: number): Promise<void> {
  await db.query(
    `insert into provider_keys (step, key_version) values ($1, $2::integer + 1)
     on conflict (step) do update set key_version = excluded.key_version
     where provider_keys.key_version = $2::integer`,
    [step, from],
  );
}
