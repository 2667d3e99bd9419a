import type Stripe from 'stripe';
import type { Refunded, RefundAsked } from '../../../domain/paymentCalls';
import { toProvider } from './amounts';
import { refusalReason, withIdempotencyKey, type ProviderAccess } from './client';

/**
 * Gives back part of what was captured, once for each `refundKey`. The provider's refunds are asked first: they
 * remember longer than it keeps idempotency keys.
 * @throws whatever leaves the outcome unknown: call again
 */
export async function refundCapture(access: ProviderAccess, order: RefundAsked): Promise<Refunded> {
  const { rideId, intentId, refundKey, amountMinor, currency = 'USD' } = order;
  const given = await findRefund(access, intentId, refundKey);
  if (given !== undefined) return { refunded: true, refundId: given.id };
  try {
    const amount = toProvider(amountMinor, currency);
    const refund = await withIdempotencyKey(access, `${rideId}/refund/${refundKey}`, (idempotencyKey) =>
      access.client.refunds.create(
        { payment_intent: intentId, amount, metadata: { rideId, step: 'refund', refundKey } },
        { idempotencyKey },
      ),
    );
    return { refunded: true, refundId: refund.id };
  } catch (error) {
    const reason = refusalReason(error);
    if (reason === undefined) throw error;
    return { refunded: false, reason };
  }
}

async function findRefund(
  { client }: ProviderAccess,
  intentId: string,
  refundKey: string,
): Promise<Stripe.Refund | undefined> {
  for await (const refund of client.refunds.list({ payment_intent: intentId, limit: 100 })) {
    if (refund.metadata?.['refundKey'] === refundKey) return refund;
  }
  return undefined;
}
