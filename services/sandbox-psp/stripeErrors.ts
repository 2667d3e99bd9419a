import type { PaymentIntent } from './paymentIntent';
import type { Decline } from './testCards';

/** The `error` member of Stripe's error bodies (https://docs.stripe.com/api/errors). */
export interface ErrorBody {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  readonly message: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly param?: string;
  readonly charge?: string;
  readonly doc_url?: string;
  readonly payment_intent?: PaymentIntent;
}

/** A refusal as Stripe words it: HTTP status and body. Thrown by the rules, answered by the routes. */
export class StripeError extends Error {
  override readonly name = 'StripeError';
  constructor(
    readonly status: number,
    readonly error: ErrorBody,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(error.message);
  }
}

/** The page of an error's code. */
export const docUrl = (code: string): string =>
  `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`;

/** 400 (or `status`) of type invalid_request_error. */
export function invalidRequest(
  message: string,
  more: { code?: string; param?: string; status?: number; payment_intent?: PaymentIntent } = {},
): StripeError {
  const { status = 400, ...rest } = more;
  const doc = rest.code === undefined ? {} : { doc_url: docUrl(rest.code) };
  return new StripeError(status, { type: 'invalid_request_error', message, ...rest, ...doc });
}

/** What the path or a parameter names does not exist: `status` is 404 but for payment methods, 400 there. */
export function noSuch(what: string, id: string, param: string, status = 404): StripeError {
  return invalidRequest(`No such ${what}: '${id}'`, { code: 'resource_missing', param, status });
}

/** An illegal step of the state machine: `could not be captured`, allowed `['requires_capture']`. */
export function unexpectedState(
  intent: PaymentIntent,
  couldNotBe: string,
  mayBe: string,
  allowed: readonly string[],
): StripeError {
  return invalidRequest(
    `This PaymentIntent ${couldNotBe} because it has a status of ${intent.status}. ` +
      `Only a PaymentIntent with one of the following statuses may be ${mayBe}: ${allowed.join(', ')}.`,
    { code: 'payment_intent_unexpected_state', payment_intent: intent },
  );
}

/** 400: the key was first used with other parameters or at another endpoint. */
export function idempotencyMismatch(key: string, difference: string): StripeError {
  return new StripeError(400, {
    type: 'idempotency_error',
    message:
      `Keys for idempotent requests can only be used ${difference}. ` +
      `Try using a key other than '${key}' if you meant to execute a different request.`,
  });
}

/** 409: the first request with this key has not been answered yet. */
export function idempotencyKeyInUse(key: string): StripeError {
  return new StripeError(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    doc_url: docUrl('idempotency_key_in_use'),
    message:
      'There is currently another in-progress request using this Idempotent Key (that probably means you ' +
      `submitted twice, and the other request is still going through): ${key}. Please try again later.`,
  });
}

/** 429: too many requests at once (`rate_limit`), or somebody else has the object (`lock_timeout`). */
export function tooManyRequests(code: 'rate_limit' | 'lock_timeout', retryAfterSeconds: number): StripeError {
  const message =
    code === 'rate_limit'
      ? 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.'
      : 'This object cannot be accessed right now because another API request or Stripe process is currently ' +
        'accessing it. If you see this error intermittently, retry the request.';
  const reason = code === 'rate_limit' ? 'global-rate' : 'resource-specific';
  return new StripeError(
    429,
    { type: 'invalid_request_error', code, message, doc_url: docUrl(code) },
    { 'Retry-After': String(retryAfterSeconds), 'Stripe-Rate-Limited-Reason': reason },
  );
}

/** 500, or 503 while the provider is "down". */
export function apiError(status: number, message: string): StripeError {
  return new StripeError(status, { type: 'api_error', message });
}

/** 402: the issuer said no to a card that is not being charged. */
export const cardRefused = ({ code, decline_code, message }: Decline): StripeError =>
  new StripeError(402, { type: 'card_error', code, decline_code, message, doc_url: docUrl(code) });

/** 402: the issuer said no; `intent` is the PaymentIntent as the decline left it. */
export function cardDeclined(intent: PaymentIntent): StripeError {
  const { code, message, decline_code, charge, doc_url } = intent.last_payment_error ?? {
    code: 'card_declined',
    message: 'Your card was declined.',
  };
  return new StripeError(402, {
    type: 'card_error',
    code,
    decline_code,
    message,
    charge,
    doc_url,
    payment_intent: intent,
  });
}
