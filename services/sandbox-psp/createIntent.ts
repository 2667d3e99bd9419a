import { checkAmount } from './amounts';
import { newId } from './ids';
import {
  unixSeconds,
  type CaptureMethod,
  type CardOptions,
  type Metadata,
  type PaymentIntent,
} from './paymentIntent';
import { confirmIntent, mustExist, type ConfirmOptions, type Occasion, type Step } from './paymentIntents';

/** The parameters of POST /v1/payment_intents that the sandbox knows. */
export interface CreateIntent extends ConfirmOptions {
  readonly amount: number;
  readonly currency: string;
  readonly automatic_payment_methods?: {
    readonly enabled: boolean;
    readonly allow_redirects?: 'always' | 'never';
  };
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
 * @throws StripeError for an unknown payment method, an amount that the currency cannot have, or a confirmation
 *   without a payment method.
 */
export function createIntent(params: CreateIntent, occasion: Occasion): Step {
  checkAmount(params.amount, params.currency);
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
    automatic_payment_methods: params.automatic_payment_methods,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: params.capture_method ?? 'automatic_async',
    client_secret: `${id}_${newId('secret')}`,
    created: unixSeconds(occasion.at),
    currency: params.currency,
    customer: params.customer ?? null,
    description: params.description ?? null,
    last_payment_error: null,
    latest_charge: null,
    metadata: params.metadata ?? {},
    next_action: null,
    payment_method: paymentMethod,
    payment_method_options: params.payment_method_options ?? { card: {} },
    receipt_email: params.receipt_email ?? null,
    statement_descriptor_suffix: params.statement_descriptor_suffix ?? null,
    status: paymentMethod === null ? 'requires_payment_method' : 'requires_confirmation',
    transfer_group: params.transfer_group ?? null,
  };
  if (params.confirm !== true) return { intent, capturedMinor: 0 };
  const { off_session, error_on_requires_action, return_url } = params;
  return confirmIntent(intent, { off_session, error_on_requires_action, return_url }, occasion);
}
