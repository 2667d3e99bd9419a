import { newId } from './ids';
import type { Metadata, PaymentIntent } from './paymentIntent';
import { unixSeconds } from './paymentIntents';
import { invalidRequest } from './stripeErrors';

/** A Refund as Stripe shows it (https://docs.stripe.com/api/refunds/object). */
export interface Refund {
  readonly id: string;
  readonly object: 'refund';
  readonly amount: number;
  /** The movement in the sandbox's ledger. */
  readonly balance_transaction: string;
  readonly charge: string | null;
  readonly created: number;
  readonly currency: string;
  readonly metadata: Metadata;
  readonly payment_intent: string;
  readonly reason: string | null;
  readonly receipt_number: null;
  readonly status: 'succeeded';
}

/**
 * POST /v1/refunds for an intent of which `refundedMinor` went back already; without `amount` the rest.
 * @throws StripeError when nothing was captured, all is refunded, or less is left than asked for.
 */
export function refundIntent(
  intent: PaymentIntent,
  refundedMinor: number,
  params: { amount?: number; reason?: string; metadata?: Metadata },
  at: Date,
): Refund {
  if (intent.status !== 'succeeded') {
    throw invalidRequest(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, {
      param: 'payment_intent',
    });
  }
  const left = intent.amount_received - refundedMinor;
  if (left <= 0) {
    throw invalidRequest(`Charge ${intent.latest_charge ?? ''} has already been refunded.`, {
      code: 'charge_already_refunded',
    });
  }
  const amount = params.amount ?? left;
  if (amount > left) {
    const currency = intent.currency.toUpperCase();
    throw invalidRequest(
      `Refund amount (${amount} ${currency}) is greater than unrefunded amount on charge (${left} ${currency})`,
      { param: 'amount' },
    );
  }
  return {
    id: newId('re'),
    object: 'refund',
    amount,
    balance_transaction: newId('txn'),
    charge: intent.latest_charge,
    created: unixSeconds(at),
    currency: intent.currency,
    metadata: params.metadata ?? {},
    payment_intent: intent.id,
    reason: params.reason ?? null,
    receipt_number: null,
    status: 'succeeded',
  };
}
