import { DomainError } from '../../../domain/errors';
import { foldPayment, type Payment } from '../../../domain/payment';
import type { PaymentFact } from '../../../domain/paymentFacts';
import type { Refund, RefundOrder } from '../../../domain/sagas';

/**
 * The answer to a refund that was given in full before, as it was then; undefined where there is still something to do
 * for its key.
 * @throws DomainError `idempotency_key_reused` where the key was used for another refund
 */
export function refundGiven(facts: readonly PaymentFact[], order: RefundOrder): Refund | undefined {
  const parts = facts.flatMap((fact) =>
    fact.type === 'payment.refunded' && fact.data.refundKey === order.refundKey ? [fact] : [],
  );
  const last = parts.at(-1);
  if (last === undefined) return undefined;
  const givenMinor = parts.reduce((sum, { data }) => sum + data.amountMinor, 0);
  const leftMinor = last.data.leftMinor ?? 0;
  if (order.amountMinor !== givenMinor + leftMinor || order.reason !== last.data.reason)
    throw new DomainError('idempotency_key_reused', 'This key was used for another refund.');
  if (leftMinor > 0) return undefined;
  const after = facts.slice(0, facts.indexOf(last) + 1).reduce<Payment | null>(foldPayment, null)!;
  return {
    refundId: parts[0]!.data.refundId,
    amountMinor: order.amountMinor,
    refundedMinor: after.refundedMinor,
    currency: last.data.currency,
  };
}
