import type Stripe from 'stripe';
import type { RefundDiffers, RefundFailed } from '../../../domain/paymentCalls';
import type { Taken } from '../../../domain/payment';
import type { PaymentFact } from '../../../domain/paymentFacts';
import { stepsOf } from '../../../platform/outbox';
import { getPayment } from '../books/paymentStore';
import { fromProvider } from './amounts';
import { orNull, type ProviderAccess } from './client';
import { isUndone } from './refunds';

/**
 * The refunds of a ride with which the books and the provider differ: those that are booked and have come back to us, then
 * those that somebody has made at the provider itself. A refund that it does not know is none of these, nor is one that
 * the house has asked for: who has asked books it.
 * @throws whatever leaves it unknown: call again
 */
export async function refundsThatDiffer(
  access: ProviderAccess,
  rideId: string,
): Promise<readonly RefundDiffers[]> {
  const facts = await factsOf(access, rideId);
  const failed = await failedOf(access, facts);
  const known = new Set(facts.flatMap(({ data }) => ('refundId' in data ? [data.refundId] : [])));
  const made: RefundFailed[] = [];
  for (const charge of (await getPayment(access.pool, rideId))?.charges ?? [])
    made.push(...(await madeAtProvider(access, charge, known)));
  return [
    ...failed.map((data) => ({ type: 'payment.refund_failed' as const, data })),
    ...made.map((data) => ({ type: 'payment.refunded' as const, data })),
  ];
}

/**
 * Those of them that are booked. Payments that began before the others were looked for ask for these, and book whatever
 * is answered as failed.
 * @throws whatever leaves it unknown: call again
 */
export const failedRefunds = async (
  access: ProviderAccess,
  rideId: string,
): Promise<readonly RefundFailed[]> => failedOf(access, await factsOf(access, rideId));

const factsOf = async ({ pool }: ProviderAccess, rideId: string): Promise<PaymentFact[]> =>
  (await stepsOf<PaymentFact>(pool, rideId)).map(({ fact }) => fact);

async function failedOf(
  { client }: ProviderAccess,
  facts: readonly PaymentFact[],
): Promise<readonly RefundFailed[]> {
  const booked = new Map<string, Extract<PaymentFact, { type: 'payment.refunded' }>['data']>();
  for (const fact of facts) {
    if (fact.type === 'payment.refunded') booked.set(fact.data.refundId, fact.data);
    if (fact.type === 'payment.refund_failed') booked.delete(fact.data.refundId);
  }
  const failed: RefundFailed[] = [];
  for (const { refundId, amountMinor, currency, intentId } of booked.values()) {
    const refund = await orNull(client.refunds.retrieve(refundId));
    if (refund === null || !isUndone(refund) || intentId === undefined) continue;
    failed.push({ refundId, intentId, amountMinor, currency, reason: refund.failure_reason ?? 'canceled' });
  }
  return failed;
}

/** Of a charge that is at the provider as it is booked: what goes back where more was taken only makes up for that. */
async function madeAtProvider(
  { client }: ProviderAccess,
  { intentId, amountMinor: takenMinor, refundedMinor }: Taken,
  known: ReadonlySet<string>,
): Promise<RefundFailed[]> {
  const made: Stripe.Refund[] = [];
  for await (const refund of client.refunds.list({ payment_intent: intentId, limit: 100 }))
    if (isBesideHouse(refund) && !known.has(refund.id)) made.push(refund);
  if (made.length === 0) return [];
  const { amount_received, currency } = await client.paymentIntents.retrieve(intentId);
  if (fromProvider(amount_received, currency) !== takenMinor) return [];
  let leftMinor = takenMinor - refundedMinor;
  return made.flatMap(({ id: refundId, amount }) => {
    const amountMinor = fromProvider(amount, currency);
    if (amountMinor > leftMinor) return [];
    leftMinor -= amountMinor;
    const reason = 'refunded_at_provider';
    return [{ refundId, intentId, amountMinor, currency: currency.toUpperCase(), reason }];
  });
}

/** Whether a refund has gone to the rider that the house has not asked for: ours have a key. */
export const isBesideHouse = (refund: Stripe.Refund): boolean =>
  !isUndone(refund) && refund.metadata?.['refundKey'] === undefined;
