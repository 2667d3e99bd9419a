export type Metadata = Readonly<Record<string, string>>;
export type CaptureMethod = 'automatic' | 'automatic_async' | 'manual';
export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled';

export interface LastPaymentError {
  readonly type: 'card_error' | 'invalid_request_error';
  readonly code: string;
  readonly decline_code?: string;
  readonly message: string;
  readonly charge?: string;
  readonly doc_url?: string;
  /** Shown as an object. */
  readonly payment_method?: string;
}

export interface CardOptions {
  readonly request_incremental_authorization?: 'if_available' | 'never';
}

/** What the rider has to do: go to a page of the bank, or, without a place to come back to, be led by Stripe's SDK. */
export type NextAction =
  | {
      readonly type: 'redirect_to_url';
      readonly redirect_to_url: { readonly return_url: string; readonly url: string };
    }
  | {
      readonly type: 'use_stripe_sdk';
      readonly use_stripe_sdk: { readonly type: 'three_d_secure_redirect'; readonly stripe_js: string };
    };

/**
 * A PaymentIntent as the sandbox keeps it: the members of Stripe's that differ from one to the other
 * (https://docs.stripe.com/api/payment_intents/object; `shape.ts` adds the rest). Amounts in minor units, times in
 * unix seconds, currency in lower case. Never changed in place.
 */
export interface PaymentIntent {
  readonly id: string;
  readonly object: 'payment_intent';
  readonly allowed_payment_method_types: readonly string[] | null;
  readonly amount: number;
  readonly amount_capturable: number;
  readonly amount_received: number;
  readonly automatic_payment_methods?: {
    readonly enabled: boolean;
    readonly allow_redirects?: 'always' | 'never';
  };
  readonly canceled_at: number | null;
  readonly cancellation_reason: string | null;
  readonly capture_method: CaptureMethod;
  readonly client_secret: string;
  readonly created: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description: string | null;
  readonly last_payment_error: LastPaymentError | null;
  readonly latest_charge: string | null;
  /** Whether its rider was not there when it was confirmed last; not shown. */
  readonly merchantInitiated?: boolean;
  readonly metadata: Metadata;
  readonly next_action: NextAction | null;
  readonly payment_method: string | null;
  readonly payment_method_options?: { readonly card: CardOptions };
  readonly receipt_email: string | null;
  readonly statement_descriptor_suffix: string | null;
  readonly status: IntentStatus;
  readonly transfer_group: string | null;
}

const hourMs = 60 * 60 * 1_000;

/**
 * How long a hold can be captured, as Visa has it: less where its rider was not there
 * (https://docs.stripe.com/payments/place-a-hold-on-a-payment-method, validity windows).
 */
export const heldForMs = ({ merchantInitiated = false }: PaymentIntent): number =>
  (merchantInitiated ? 4 * 24 + 18 : 7 * 24) * hourMs;

/** Stripe's times: whole seconds since 1970. */
export function unixSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}
