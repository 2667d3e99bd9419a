import type { PaymentView } from '../../../contracts/api/payments';
import type { Payment } from '../../../domain/payment';
import type { Queryable } from '../../../platform/postgres';
import { getPayment } from '../books/paymentStore';

/** A payment as its rider or an operator sees it; null before the ride has asked for it. */
export async function viewOfPayment(db: Queryable, rideId: string): Promise<PaymentView | null> {
  const payment = await getPayment(db, rideId);
  return payment && viewOf(db, payment);
}

/** The same of a payment that was read. */
export async function viewOf(db: Queryable, payment: Payment): Promise<PaymentView> {
  const isAsked = payment.status === 'action_required';
  return view(payment, isAsked ? await actionUrl(db, payment.intentId) : null);
}

/** The page on which the rider's bank wants to see the rider. It is in no fact: facts are kept for ever. */
async function actionUrl(db: Queryable, intentId: string | null): Promise<string | null> {
  const { rows } = await db.query<{ url: string | null }>(
    'select action_url as url from provider_intents where intent_id = $1',
    [intentId],
  );
  return rows[0]?.url ?? null;
}

function view(payment: Payment, url: string | null): PaymentView {
  const { rideId, status, method, currency, amountMinor, unresolved } = payment;
  const { capturedMinor, refundedMinor, tipMinor, owedMinor, failureReason } = payment;
  return {
    rideId,
    status,
    method: method.type,
    currency,
    amountMinor,
    capturedMinor,
    refundedMinor,
    tipMinor,
    owedMinor,
    action: status === 'action_required' ? { url, deadlineAt: payment.actionDeadlineAt } : null,
    unresolvedSince: unresolved?.since ?? null,
    failureReason,
  };
}
