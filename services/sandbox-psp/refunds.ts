import { checkAmount } from './amounts';
import { newId } from './ids';
import { unixSeconds, type Metadata, type PaymentIntent } from './paymentIntent';
import { invalidRequest } from './stripeErrors';
import { cardOf } from './testCards';

/** A Refund as the sandbox keeps it (https://docs.stripe.com/api/refunds/object; `shape.ts` adds the rest). */
export interface Refund {
  readonly id: string;
  readonly object: 'refund';
  readonly amount: number;
  /** The movement in the sandbox's ledger. */
  readonly balance_transaction: string;
  readonly charge: string | null;
  readonly created: number;
  readonly currency: string;
  /** The movement by which the money came back to us. */
  readonly failure_balance_transaction?: string;
  readonly failure_reason?: string;
  readonly metadata: Metadata;
  readonly payment_intent: string;
  readonly reason: string | null;
  readonly status: 'pending' | 'succeeded' | 'failed';
}

/** How long after a refund its test card's bank answers: "some time later", as Stripe says. */
export const refundAnsweredAfterMs = 5 * 60 * 1_000;

/**
 * POST /v1/refunds for an intent of which `refundedMinor` went back already; without `amount` the rest.
 * @throws StripeError when nothing was captured, the bank has taken it back, all is refunded, or less is left than
 *   asked for.
 */
export function refundIntent(
  intent: PaymentIntent,
  { refundedMinor, disputed }: { refundedMinor: number; disputed: boolean },
  params: { amount?: number; reason?: string; metadata?: Metadata },
  at: Date,
): Refund {
  if (intent.status !== 'succeeded') {
    throw invalidRequest(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, {
      param: 'payment_intent',
    });
  }
  const charge = intent.latest_charge ?? '';
  if (disputed)
    throw invalidRequest(`Charge ${charge} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed',
    });
  const left = intent.amount_received - refundedMinor;
  if (left <= 0) {
    throw invalidRequest(`Charge ${charge} has already been refunded.`, {
      code: 'charge_already_refunded',
    });
  }
  const amount = params.amount ?? left;
  checkAmount(amount, intent.currency, { least: false });
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
    status: fateOf(intent) === 'pending' ? 'pending' : 'succeeded',
  };
}

const fateOf = ({ payment_method }: PaymentIntent): 'fails' | 'pending' | undefined =>
  cardOf(payment_method ?? '')?.refund;

/** When the bank of this test card will have answered to its refund, in ms since 1970; null: it has. */
export function refundAnsweredAt(refund: Refund, intent: PaymentIntent): number | null {
  const fate = fateOf(intent);
  const waits =
    fate === 'pending' ? refund.status === 'pending' : fate === 'fails' && refund.status === 'succeeded';
  return waits ? refund.created * 1_000 + refundAnsweredAfterMs : null;
}

/** The refund when the bank has answered: it has arrived, or it has come back to us. */
export function answeredRefund(refund: Refund): Refund {
  return refund.status === 'pending'
    ? { ...refund, status: 'succeeded' }
    : {
        ...refund,
        status: 'failed',
        failure_reason: 'expired_or_canceled_card',
        failure_balance_transaction: newId('txn'),
      };
}
