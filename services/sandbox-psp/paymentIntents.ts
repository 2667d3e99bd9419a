import { newId } from './ids';
import type { CaptureMethod, CardOptions, IntentStatus, Metadata, PaymentIntent } from './paymentIntent';
import { cardDeclined, invalidRequest, noSuch, unexpectedState, type StripeError } from './stripeErrors';
import { outcomeOf, type Decline } from './testCards';

/** What a step led to: the intent as it stands now, and what was taken from the card by it (minor units). */
export interface Step {
  readonly intent: PaymentIntent;
  readonly capturedMinor: number;
  /** The answer where it is not the intent itself: a declined card. */
  readonly refusal?: StripeError;
}

export interface CreateIntent {
  readonly amount: number;
  readonly currency: string;
  readonly capture_method?: CaptureMethod;
  readonly confirm?: boolean;
  readonly payment_method?: string;
  readonly payment_method_options?: { readonly card: CardOptions };
  readonly allowed_payment_method_types?: readonly string[];
  readonly metadata?: Metadata;
  readonly customer?: string;
  readonly description?: string;
  readonly receipt_email?: string;
  readonly statement_descriptor_suffix?: string;
  readonly transfer_group?: string;
}

/**
 * POST /v1/payment_intents. A declined confirmation leaves the intent behind, as at Stripe.
 * @throws StripeError for an unknown payment method, or a confirmation without one.
 */
export function createIntent(params: CreateIntent, at: Date): Step {
  const id = newId('pi');
  const paymentMethod = params.payment_method ?? null;
  if (paymentMethod !== null) mustExist(paymentMethod);
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    amount: params.amount,
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: params.capture_method ?? 'automatic_async',
    client_secret: `${id}_${newId('secret')}`,
    confirmation_method: 'automatic',
    created: unixSeconds(at),
    currency: params.currency,
    customer: params.customer ?? null,
    description: params.description ?? null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: params.metadata ?? {},
    next_action: null,
    payment_method: paymentMethod,
    payment_method_options: params.payment_method_options ?? { card: {} },
    payment_method_types: ['card'],
    receipt_email: params.receipt_email ?? null,
    statement_descriptor_suffix: params.statement_descriptor_suffix ?? null,
    status: paymentMethod === null ? 'requires_payment_method' : 'requires_confirmation',
    transfer_group: params.transfer_group ?? null,
  };
  return params.confirm === true ? confirmIntent(intent, {}) : { intent, capturedMinor: 0 };
}

/** POST …/confirm: authorizes, and captures at once unless capture_method is manual. */
export function confirmIntent(
  intent: PaymentIntent,
  params: { payment_method?: string; capture_method?: CaptureMethod },
): Step {
  const allowed: readonly IntentStatus[] = ['requires_payment_method', 'requires_confirmation'];
  if (!allowed.includes(intent.status)) {
    throw unexpectedState(intent, 'could not be confirmed', 'confirmed', allowed);
  }
  const paymentMethod = params.payment_method ?? intent.payment_method;
  if (paymentMethod === null) {
    throw invalidRequest(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update " +
        'the PaymentIntent with a payment method and then confirm it again, or confirm it again directly ' +
        'with a payment method.',
      { code: 'payment_intent_unexpected_state', payment_intent: intent },
    );
  }
  const decline = mustExist(paymentMethod);
  const captureMethod = params.capture_method ?? intent.capture_method;
  const charge = newId('ch');
  const attempted = { ...intent, capture_method: captureMethod, latest_charge: charge };
  if (decline !== null) return declineIntent(attempted, paymentMethod, charge, decline);
  const authorized: PaymentIntent = {
    ...attempted,
    payment_method: paymentMethod,
    last_payment_error: null,
    status: 'requires_capture',
    amount_capturable: intent.amount,
  };
  return captureMethod === 'manual'
    ? { intent: authorized, capturedMinor: 0 }
    : captureIntent(authorized, {});
}

function declineIntent(
  attempted: PaymentIntent,
  paymentMethod: string,
  charge: string,
  decline: Decline,
): Step {
  const intent: PaymentIntent = {
    ...attempted,
    // Stripe takes a declined method off the intent: the next confirmation has to bring one.
    payment_method: null,
    status: 'requires_payment_method',
    last_payment_error: {
      type: 'card_error',
      ...decline,
      charge,
      doc_url: `https://stripe.com/docs/error-codes/${decline.code.replaceAll('_', '-')}`,
      payment_method: { id: paymentMethod, object: 'payment_method', type: 'card' },
    },
  };
  return { intent, capturedMinor: 0, refusal: cardDeclined(intent) };
}

/** POST …/capture: takes `amount_to_capture` (all by default) and releases the rest of the hold. */
export function captureIntent(
  intent: PaymentIntent,
  params: { amount_to_capture?: number; metadata?: Metadata },
): Step {
  if (intent.status !== 'requires_capture') {
    throw unexpectedState(intent, 'could not be captured', 'captured', ['requires_capture']);
  }
  const amount = params.amount_to_capture ?? intent.amount_capturable;
  if (amount > intent.amount_capturable) {
    throw invalidRequest(
      `The provided amount_to_capture (${amount}) is greater than the amount_capturable ` +
        `(${intent.amount_capturable}) of this PaymentIntent.`,
      { code: 'amount_too_large', param: 'amount_to_capture', payment_intent: intent },
    );
  }
  const captured: PaymentIntent = {
    ...intent,
    metadata: { ...intent.metadata, ...params.metadata },
    status: 'succeeded',
    amount_capturable: 0,
    amount_received: amount,
  };
  return { intent: captured, capturedMinor: amount };
}

/** POST …/cancel: releases the whole hold, if there is one. */
export function cancelIntent(
  intent: PaymentIntent,
  params: { cancellation_reason?: string },
  at: Date,
): Step {
  const allowed: readonly IntentStatus[] = [
    'requires_payment_method',
    'requires_capture',
    'requires_confirmation',
  ];
  if (!allowed.includes(intent.status)) {
    throw unexpectedState(intent, 'could not be canceled', 'canceled', allowed);
  }
  const canceled: PaymentIntent = {
    ...intent,
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: unixSeconds(at),
    cancellation_reason: params.cancellation_reason ?? null,
  };
  return { intent: canceled, capturedMinor: 0 };
}

function mustExist(paymentMethod: string): Decline | null {
  const outcome = outcomeOf(paymentMethod);
  if (outcome === undefined) throw noSuch('PaymentMethod', paymentMethod, 'payment_method', 400);
  return outcome;
}

/** Stripe's times: whole seconds since 1970. */
export function unixSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}
