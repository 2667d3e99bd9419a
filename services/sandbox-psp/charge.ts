import type { Metadata, PaymentIntent } from './paymentIntent';

/** A Charge as the sandbox shows it (https://docs.stripe.com/api/charges/object; `shape.ts` adds the rest). */
export interface Charge {
  readonly id: string;
  readonly object: 'charge';
  readonly amount: number;
  readonly amount_captured: number;
  readonly amount_refunded: number;
  readonly captured: boolean;
  readonly created: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly disputed: boolean;
  readonly failure_code: string | null;
  readonly failure_message: string | null;
  readonly metadata: Metadata;
  readonly paid: boolean;
  readonly payment_intent: string;
  readonly payment_method: string | null;
  readonly refunded: boolean;
  readonly status: 'succeeded' | 'failed';
  readonly transfer_group: string | null;
  /** Unix seconds: until when its hold can be captured. */
  readonly captureBefore: number | undefined;
}

/** The latest charge of an intent: an intent is charged once, however often a card was declined before. */
export function charge(
  intent: PaymentIntent,
  known: { refundedMinor: number; disputed: boolean; captureBefore: number | undefined },
): Charge {
  const { last_payment_error: error, amount_received } = intent;
  const paid = error === null;
  const captured = intent.status === 'succeeded';
  return {
    id: intent.latest_charge ?? '',
    object: 'charge',
    amount: intent.amount,
    amount_captured: amount_received,
    // What was not captured of a hold, or all of it where it was released, counts as given back.
    amount_refunded: captured
      ? intent.amount - amount_received + known.refundedMinor
      : intent.status === 'canceled' && paid
        ? intent.amount
        : 0,
    captured,
    created: intent.created,
    currency: intent.currency,
    customer: intent.customer,
    disputed: known.disputed,
    failure_code: error?.code ?? null,
    failure_message: error?.message ?? null,
    metadata: intent.metadata,
    paid,
    payment_intent: intent.id,
    payment_method: intent.payment_method ?? error?.payment_method ?? null,
    refunded: captured ? known.refundedMinor === amount_received : intent.status === 'canceled' && paid,
    status: paid ? 'succeeded' : 'failed',
    transfer_group: intent.transfer_group,
    captureBefore: known.captureBefore,
  };
}
