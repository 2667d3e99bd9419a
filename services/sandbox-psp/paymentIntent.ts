export type Metadata = Readonly<Record<string, string>>;
export type CaptureMethod = 'automatic' | 'automatic_async' | 'manual';
export type IntentStatus =
  'requires_payment_method' | 'requires_confirmation' | 'requires_capture' | 'succeeded' | 'canceled';

export interface LastPaymentError {
  readonly type: 'card_error';
  readonly code: string;
  readonly decline_code?: string;
  readonly message: string;
  readonly charge?: string;
  readonly doc_url?: string;
  readonly payment_method?: { readonly id: string; readonly object: 'payment_method'; readonly type: 'card' };
}

export interface CardOptions {
  readonly request_incremental_authorization?: 'if_available' | 'never';
}

/**
 * A PaymentIntent as Stripe shows it (https://docs.stripe.com/api/payment_intents/object): amounts in minor
 * units, times in unix seconds, currency in lower case. Never changed in place.
 */
export interface PaymentIntent {
  readonly id: string;
  readonly object: 'payment_intent';
  readonly allowed_payment_method_types: readonly string[] | null;
  readonly amount: number;
  readonly amount_capturable: number;
  readonly amount_received: number;
  readonly canceled_at: number | null;
  readonly cancellation_reason: string | null;
  readonly capture_method: CaptureMethod;
  readonly client_secret: string;
  readonly confirmation_method: 'automatic';
  readonly created: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description: string | null;
  readonly last_payment_error: LastPaymentError | null;
  readonly latest_charge: string | null;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly next_action: null;
  readonly payment_method: string | null;
  readonly payment_method_options?: { readonly card: CardOptions };
  readonly payment_method_types: readonly string[];
  readonly receipt_email: string | null;
  readonly statement_descriptor_suffix: string | null;
  readonly status: IntentStatus;
  readonly transfer_group: string | null;
}
