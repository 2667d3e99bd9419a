import type { RefundFailed } from '../../../domain/paymentCalls';
import type { PaymentFact } from '../../../domain/paymentFacts';
import { stepsOf } from '../../../platform/outbox';
import { orNull, type ProviderAccess } from './client';
import { isUndone } from './refunds';

/**
 * The refunds of a ride that are booked, and of which the provider says that their money has come back to us. A refund
 * that it does not know is none of these.
 * @throws whatever leaves it unknown: call again
 */
export async function failedRefunds(
  { pool, client }: ProviderAccess,
  rideId: string,
): Promise<readonly RefundFailed[]> {
  const booked = new Map<string, Extract<PaymentFact, { type: 'payment.refunded' }>['data']>();
  for (const { fact } of await stepsOf<PaymentFact>(pool, rideId)) {
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
