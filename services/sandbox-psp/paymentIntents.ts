import { checkAmount } from './amounts';
import { needsAuthentication, nextAction } from './authentication';
import { newId } from './ids';
import {
  unixSeconds,
  type CaptureMethod,
  type IntentStatus,
  type LastPaymentError,
  type Metadata,
  type PaymentIntent,
} from './paymentIntent';
import {
  cardDeclined,
  docUrl,
  invalidRequest,
  noSuch,
  unexpectedState,
  type StripeError,
} from './stripeErrors';
import { authenticationRequired, cardOf, type Card, type Decline } from './testCards';

/** What a step led to: the intent as it stands now, and what was taken from the card by it (minor units). */
export interface Step {
  readonly intent: PaymentIntent;
  readonly capturedMinor: number;
  /** The answer where it is not the intent itself: a declined card. */
  readonly refusal?: StripeError;
}

/** Where and when a request is answered. */
export interface Occasion {
  readonly at: Date;
  /** The URL at which riders reach the sandbox's pages. */
  readonly baseUrl: string;
  /** A decline on demand, whatever the card. */
  readonly declined?: Decline;
}

/** How a confirmation treats a bank that wants to see the rider. */
export interface ConfirmOptions {
  readonly off_session?: boolean;
  readonly error_on_requires_action?: boolean;
  readonly return_url?: string;
}

/**
 * POST …/confirm: authorizes, and captures at once unless capture_method is manual; or sends the rider to the bank's
 * page. An intent whose rider has not answered there may be confirmed anew, with the same card or another.
 */
export function confirmIntent(
  intent: PaymentIntent,
  params: ConfirmOptions & { payment_method?: string; capture_method?: CaptureMethod },
  { baseUrl, declined }: Occasion,
): Step {
  const allowed: readonly IntentStatus[] = [
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
  ];
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
  const card = mustExist(paymentMethod);
  const attempted: PaymentIntent = {
    ...intent,
    capture_method: params.capture_method ?? intent.capture_method,
    merchantInitiated: params.off_session === true,
    payment_method: paymentMethod,
    next_action: null,
  };
  mustSayWhereToReturn(attempted, params);
  const decline = declined ?? card.declined;
  if (decline !== undefined) return declineIntent(attempted, decline);
  if (!needsAuthentication(card, params)) return authorizeIntent(attempted);
  if (params.off_session === true || params.error_on_requires_action === true)
    return declineIntent(attempted, authenticationRequired);
  const next_action = nextAction(attempted, { baseUrl, returnUrl: params.return_url });
  return { intent: { ...attempted, status: 'requires_action', next_action }, capturedMinor: 0 };
}

/** What the rider's bank was told by the rider, on its page, of an intent in `requires_action`. */
export function authenticateIntent(intent: PaymentIntent, outcome: 'succeeded' | 'failed'): Step {
  if (intent.status !== 'requires_action' || intent.payment_method === null)
    throw unexpectedState(intent, 'could not be authenticated', 'authenticated', ['requires_action']);
  const answered: PaymentIntent = { ...intent, next_action: null };
  if (outcome === 'failed') {
    const refused = withoutMethod(answered, {
      type: 'invalid_request_error',
      code: 'payment_intent_authentication_failure',
      doc_url: docUrl('payment_intent_authentication_failure'),
      message:
        'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new ' +
        'PaymentMethod to attempt to fulfill this PaymentIntent again.',
      payment_method: intent.payment_method,
    });
    return { intent: refused, capturedMinor: 0 };
  }
  const { declinedAfterwards: decline } = mustExist(intent.payment_method);
  return decline === undefined ? authorizeIntent(answered) : declineIntent(answered, decline);
}

function authorizeIntent(attempted: PaymentIntent): Step {
  const authorized: PaymentIntent = {
    ...attempted,
    last_payment_error: null,
    latest_charge: newId('ch'),
    status: 'requires_capture',
    amount_capturable: attempted.amount,
  };
  return attempted.capture_method === 'manual'
    ? { intent: authorized, capturedMinor: 0 }
    : captureIntent(authorized, {});
}

function declineIntent(attempted: PaymentIntent, decline: Decline): Step {
  const charge = newId('ch');
  const intent = withoutMethod(
    { ...attempted, latest_charge: charge },
    {
      type: 'card_error',
      ...decline,
      charge,
      doc_url: docUrl(decline.code),
      payment_method: attempted.payment_method ?? undefined,
    },
  );
  return { intent, capturedMinor: 0, refusal: cardDeclined(intent) };
}

/** Stripe takes a declined method off the intent: the next confirmation has to bring one. */
const withoutMethod = (intent: PaymentIntent, last_payment_error: LastPaymentError): PaymentIntent => ({
  ...intent,
  payment_method: null,
  status: 'requires_payment_method',
  last_payment_error,
});

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
  checkAmount(amount, intent.currency, { param: 'amount_to_capture' });
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
    'requires_action',
  ];
  if (!allowed.includes(intent.status)) {
    throw unexpectedState(intent, 'could not be canceled', 'canceled', allowed);
  }
  const canceled: PaymentIntent = {
    ...intent,
    status: 'canceled',
    amount_capturable: 0,
    next_action: null,
    canceled_at: unixSeconds(at),
    cancellation_reason: params.cancellation_reason ?? null,
  };
  return { intent: canceled, capturedMinor: 0 };
}

/** @throws StripeError resource_missing, with status 404 where the path names it */
export function mustExist(paymentMethod: string, status: 400 | 404 = 400): Card {
  const card = cardOf(paymentMethod);
  if (card === undefined) throw noSuch('PaymentMethod', paymentMethod, 'payment_method', status);
  return card;
}

function mustSayWhereToReturn(intent: PaymentIntent, { return_url, off_session }: ConfirmOptions): void {
  const { enabled = false, allow_redirects = 'always' } = intent.automatic_payment_methods ?? {};
  if (!enabled || allow_redirects === 'never' || off_session === true || return_url !== undefined) return;
  throw invalidRequest(
    'A `return_url` must be specified because this Payment Intent is configured to automatically accept the ' +
      'payment methods enabled in the Dashboard, some of which may require a full page redirect to succeed. If you ' +
      'do not want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and ' +
      '`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.',
    { payment_intent: intent },
  );
}
