import type Stripe from 'stripe';
import { settledPaymentStatuses, type Payment } from '../../../domain/payment';
import type { PaymentFact } from '../../../domain/paymentFacts';
import type { Queryable } from '../../../platform/postgres';
import { rowsOf, stepsOfAll } from './pages';

/** What we know of a ride’s money. */
export interface RideMoney {
  readonly rideId: string;
  /** Null where we have no such payment. */
  readonly payment: Payment | null;
  readonly facts: readonly PaymentFact[];
  /** The provider’s ids of the intents that we asked for. */
  readonly stored: ReadonlySet<string>;
}

/** The money of these rides, each of which may be one that we do not know. */
export async function moneyOf(db: Queryable, rideIds: readonly string[]): Promise<Map<string, RideMoney>> {
  const [payments, steps, intents] = [
    await rowsOf(db, 'payment', rideIds),
    await stepsOfAll(db, rideIds),
    await db.query<{ rideId: string; intentId: string }>(
      `select payment_id::text as "rideId", intent_id as "intentId" from provider_intents
       where payment_id = any ($1::uuid[])`,
      [rideIds],
    ),
  ];
  return new Map(
    rideIds.map((rideId) => [
      rideId,
      {
        rideId,
        payment: payments.get(rideId) ?? null,
        facts: (steps.get(rideId) ?? []).map(({ fact }) => fact as unknown as PaymentFact),
        stored: new Set(intents.rows.filter((row) => row.rideId === rideId).map((row) => row.intentId)),
      },
    ]),
  );
}

/** The rides whose intents these are, by intent. */
export async function ridesOfIntents(
  db: Queryable,
  intentIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query<{ rideId: string; intentId: string }>(
    `select payment_id::text as "rideId", intent_id as "intentId" from provider_intents
     where intent_id = any ($1)`,
    [intentIds],
  );
  return new Map(rows.map(({ intentId, rideId }) => [intentId, rideId]));
}

/** By the facts: what was taken of an intent, in minor units. */
export function takenByFacts(facts: readonly PaymentFact[], intentId: string): number {
  return facts.reduce((sum, { type, data }) => {
    if (type === 'payment.tip_charged') return data.intentId === intentId ? sum + data.tipMinor : sum;
    const takes =
      type === 'payment.captured' || type === 'payment.collected' || type === 'payment.extra_charged';
    return takes && data.intentId === intentId ? sum + data.amountMinor : sum;
  }, 0);
}

/** Every object of the provider’s that the facts and what is stored tell of. */
export function objectsOf({ facts, stored }: RideMoney): { intents: Set<string>; refunds: Set<string> } {
  const intents = new Set(stored);
  const refunds = new Set<string>();
  for (const { data } of facts) {
    if ('intentId' in data && typeof data.intentId === 'string') intents.add(data.intentId);
    if ('refundId' in data) refunds.add(data.refundId);
  }
  return { intents, refunds };
}

/** Whether its ride has ended in a way that needs no hold any more; a debt is charged anew. */
export const usesNoHold = ({ status }: Payment): boolean =>
  status === 'owed' || settledPaymentStatuses.includes(status);

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A uuid in an object’s metadata, as ours have it. */
export function metadataId(metadata: Stripe.Metadata | null, name: string): string | undefined {
  const id = metadata?.[name];
  return id !== undefined && uuid.test(id) ? id : undefined;
}
