import type { Charge } from './charge';
import type { Customer, PaymentMethod } from './customers/wallets';
import type { Dispute } from './disputes/dispute';
import { shownDispute } from './disputes/shape';
import type { PaymentIntent } from './paymentIntent';
import type { Refund } from './refunds';
import { reversedMinor, type Transfer } from './transfers/transfer';
import { apiVersion, type SandboxEvent } from './webhooks/events';

/** An event with how many posts of it are still to come. */
interface ShownEvent extends SandboxEvent {
  readonly kind: 'event';
  readonly pending: number;
}

/** What a body may hold; `data` and `payment_intent` lie within lists and errors. */
interface Body {
  readonly object?: unknown;
  readonly kind?: unknown;
  readonly data?: readonly unknown[];
  readonly error?: { readonly payment_intent?: PaymentIntent };
}

/**
 * An object, a list or an error as Stripe shows it: with the members that are the same for all of a kind here. Held
 * against Stripe's own description by test/integration/stripeConformance.test.ts.
 */
export function asStripe(body: unknown): unknown {
  const { object, kind, data, error } = body as Body;
  if (kind === 'event') return shownEvent(body as ShownEvent);
  if (error?.payment_intent) {
    return { error: { ...error, payment_intent: shownIntent(error.payment_intent) } };
  }
  switch (object) {
    case 'payment_intent':
      return shownIntent(body as PaymentIntent);
    case 'charge':
      return shownCharge(body as Charge);
    case 'refund':
      return shownRefund(body as Refund);
    case 'dispute':
      return shownDispute(body as Dispute);
    case 'customer':
      return shownCustomer(body as Customer);
    case 'payment_method':
      return shownPaymentMethod(body as PaymentMethod);
    case 'transfer':
      return shownTransfer(body as Transfer);
    case 'transfer_reversal':
      return { ...(body as object), source_refund: null };
    case 'list':
    case 'search_result':
      return { ...(body as object), data: data?.map(asStripe) };
    default:
      return body;
  }
}

const shownIntent = ({ merchantInitiated: _, ...intent }: PaymentIntent): object => ({
  amount_details: { tip: {} },
  application: null,
  application_fee_amount: null,
  ...intent,
  automatic_payment_methods: intent.automatic_payment_methods
    ? { allow_redirects: 'always', ...intent.automatic_payment_methods }
    : null,
  confirmation_method: 'automatic',
  customer_account: null,
  excluded_payment_method_types: null,
  last_payment_error: shownError(intent),
  livemode: false,
  managed_payments: null,
  on_behalf_of: null,
  payment_method_configuration_details: null,
  payment_method_types: ['card'],
  payment_method_options: {
    card: { installments: null, network: null, request_three_d_secure: 'automatic', ...cardOptions(intent) },
  },
  processing: null,
  review: null,
  setup_future_usage: null,
  shipping: null,
  statement_descriptor: null,
  transfer_data: null,
});

const cardOptions = ({ payment_method_options: options }: PaymentIntent): object => options?.card ?? {};

function shownError({ last_payment_error: error, created, customer }: PaymentIntent): object | null {
  if (error === null) return null;
  const { payment_method: id, ...rest } = error;
  const shown = (id: string) => shownPaymentMethod({ id, object: 'payment_method', created, customer });
  return id === undefined ? rest : { ...rest, payment_method: shown(id) };
}

const nobody = { address: null, email: null, name: null, phone: null, tax_id: null };
const card = {
  brand: 'visa',
  country: 'US',
  exp_month: 12,
  exp_year: 2034,
  funding: 'credit',
  last4: '4242',
};

const shownCustomer = ({ id, object, deleted, ...customer }: Customer): object =>
  deleted
    ? { id, object, deleted }
    : {
        ...{ id, object, ...customer },
        ...{ address: null, email: null, name: null, phone: null, shipping: null },
        balance: 0,
        currency: null,
        customer_account: null,
        default_source: null,
        delinquent: false,
        discount: null,
        invoice_prefix: null,
        invoice_settings: {
          custom_fields: null,
          default_payment_method: null,
          footer: null,
          rendering_options: null,
        },
        livemode: false,
        next_invoice_sequence: 1,
        preferred_locales: [],
        tax_exempt: 'none',
        test_clock: null,
      };

const shownPaymentMethod = (method: PaymentMethod): object => ({
  ...method,
  allow_redisplay: 'unspecified',
  billing_details: nobody,
  card: {
    ...card,
    checks: null,
    display_brand: 'visa',
    generated_from: null,
    networks: null,
    three_d_secure_usage: null,
    wallet: null,
  },
  customer_account: null,
  livemode: false,
  metadata: {},
  type: 'card',
});

function shownCharge({ captureBefore, ...charge }: Charge): object {
  return {
    ...charge,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: nobody,
    calculated_statement_descriptor: 'HAILWAY',
    description: null,
    failure_balance_transaction: null,
    fraud_details: {},
    livemode: false,
    on_behalf_of: null,
    outcome: null,
    payment_method_details: {
      card: {
        ...card,
        amount_authorized: charge.amount,
        authorization_code: null,
        ...(captureBefore === undefined ? {} : { capture_before: captureBefore }),
        checks: null,
        installments: null,
        mandate: null,
        network: 'visa',
        network_transaction_id: null,
        three_d_secure: null,
        wallet: null,
      },
      type: 'card',
    },
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    review: null,
    shipping: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    transfer_data: null,
  };
}

const shownRefund = (refund: Refund): object => ({
  ...refund,
  customer: null,
  customer_account: null,
  destination_details: { card: { type: 'refund' }, type: 'card' },
  payment_method: null,
  receipt_number: null,
  source_transfer_reversal: null,
  transfer_reversal: null,
});

const shownTransfer = (transfer: Transfer): object => ({
  ...transfer,
  amount_reversed: reversedMinor(transfer),
  livemode: false,
  reversals: {
    object: 'list',
    data: transfer.reversals.map(asStripe),
    has_more: false,
    url: `/v1/transfers/${transfer.id}/reversals`,
  },
  reversed: reversedMinor(transfer) === transfer.amount,
  source_transaction: null,
  source_type: 'card',
});

const shownEvent = ({ id, type, created, object, request, pending }: ShownEvent): object => ({
  id,
  object: 'event',
  api_version: apiVersion,
  created,
  data: { object: asStripe(object) },
  livemode: false,
  pending_webhooks: pending,
  request: request ?? { id: null, idempotency_key: null },
  type,
});
