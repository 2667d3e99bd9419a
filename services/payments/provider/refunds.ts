import { createHash } from 'node:crypto';
import type Stripe from 'stripe';
import { refundFailed, type Refunded, type RefundAsked } from '../../../domain/paymentCalls';
import { fromProvider, toProvider } from './amounts';
import { refusalReason, withIdempotencyKey, type ProviderAccess } from './client';

/**
 * Gives back part of what was captured, once for each `refundKey` and part. The provider's refunds are asked first: they
 * remember longer than it keeps idempotency keys. One that has failed since, or is of another amount, stands for its key:
 * it is refused.
 * @throws whatever leaves the outcome unknown: call again
 */
export async function refundCapture(access: ProviderAccess, order: RefundAsked): Promise<Refunded> {
  const { rideId, intentId, amountMinor, currency = 'USD' } = order;
  const given = await findRefund(access, order);
  if (given !== null) return given;
  try {
    const amount = toProvider(amountMinor, currency);
    const name = nameOf(order);
    const metadata = { rideId, step: 'refund', ...name };
    const step = `${rideId}/refund/${Object.values(name).join('/')}`;
    const refund = await withIdempotencyKey(access, step, (idempotencyKey) =>
      access.client.refunds.create({ payment_intent: intentId, amount, metadata }, { idempotencyKey }),
    );
    return refundedBy(refund, amountMinor);
  } catch (error) {
    const reason = refusalReason(error);
    if (reason === undefined) throw error;
    return { refunded: false, reason };
  }
}

/**
 * What became of a refund that may have been given; null where the provider has none of its key and part.
 * @throws whatever leaves the outcome unknown: call again
 */
export async function findRefund({ client }: ProviderAccess, order: RefundAsked): Promise<Refunded | null> {
  const { intentId, amountMinor } = order;
  const wanted: RefundName = nameOf(order);
  for await (const refund of client.refunds.list({ payment_intent: intentId, limit: 100 })) {
    const { metadata } = refund;
    if (metadata?.['refundKey'] === wanted.refundKey && metadata['part'] === wanted.part)
      return refundedBy(refund, amountMinor);
  }
  return null;
}

/** What the provider keeps with a refund, and it is found by. */
interface RefundName {
  readonly refundKey: string;
  readonly part?: string;
}

/** What others type stays in the house; payments that began before there were parts have asked by the key itself. */
const nameOf = ({ refundKey, part }: RefundAsked): RefundName & Record<string, string> =>
  part === undefined
    ? { refundKey }
    : { refundKey: createHash('sha256').update(refundKey).digest('hex').slice(0, 32), part: String(part) };

function refundedBy(refund: Stripe.Refund, amountMinor: number): Refunded {
  if (isUndone(refund)) return { refunded: false, reason: refundFailed };
  if (fromProvider(refund.amount, refund.currency) !== amountMinor)
    return { refunded: false, reason: 'refunded_otherwise' };
  return { refunded: true, refundId: refund.id };
}

/** Its money has come back to us: the rider does not have it. */
export const isUndone = ({ status }: Stripe.Refund): boolean => status === 'failed' || status === 'canceled';
