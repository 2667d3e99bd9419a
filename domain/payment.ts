import { commissionMinor } from './fare';
import type { PaymentMethod } from './ride';

/** One payment a ride; its id is the ride's. */
export type PaymentStatus =
  | 'authorizing'
  | 'authorized'
  | 'cash_due'
  | 'captured'
  | 'voided'
  | 'failed'
  | 'cash_settled'
  | 'partially_refunded'
  | 'refunded';

/** What a ride asks its payment to secure. Amounts are integers in minor units of `currency`. */
export interface PaymentOrder {
  readonly rideId: string;
  readonly riderId: string;
  readonly method: PaymentMethod;
  readonly amountMinor: number;
  readonly currency: string;
}

/** A payment as its facts tell it; the row in Postgres is exactly this. */
export interface Payment extends PaymentOrder {
  readonly version: number;
  readonly status: PaymentStatus;
  /** The provider's id of the hold, once there is one. */
  readonly intentId: string | null;
  readonly driverId: string | null;
  readonly capturedMinor: number;
  readonly tipMinor: number;
  readonly refundedMinor: number;
  readonly failureReason: string | null;
}

/** The data of every fact of a payment. contracts/facts/payments.ts holds the schema of each to this. */
export interface PaymentFactData {
  'payment.opened': PaymentOrder;
  'payment.authorized': {
    readonly intentId: string;
    readonly amountMinor: number;
    readonly currency: string;
  };
  'payment.declined': { readonly reason: string };
  /** `amountMinor` is the whole hold after it; without an intent, what is to be paid in cash. */
  'payment.hold_raised': {
    readonly intentId: string | null;
    readonly amountMinor: number;
    readonly currency: string;
    readonly changeId: string;
  };
  'payment.captured': {
    readonly intentId: string;
    readonly amountMinor: number;
    readonly currency: string;
    readonly driverId: string | null;
    readonly commissionMinor: number;
  };
  'payment.voided': { readonly intentId: string | null };
  'payment.cash_settled': {
    readonly amountMinor: number;
    readonly currency: string;
    readonly driverId: string | null;
    readonly commissionMinor: number;
  };
  'payment.tip_charged': {
    readonly intentId: string;
    readonly tipMinor: number;
    readonly currency: string;
    readonly driverId: string | null;
  };
  'payment.refunded': {
    readonly refundId: string;
    readonly amountMinor: number;
    readonly currency: string;
    readonly reason: string;
  };
}

export type PaymentFactType = keyof PaymentFactData;

/** What happened to a payment, and when. */
export type PaymentFact = {
  [T in PaymentFactType]: { readonly type: T; readonly at: string; readonly data: PaymentFactData[T] };
}[PaymentFactType];

/** From which statuses a fact may follow. The compare-and-set, the diagram and the tests come from it. */
export const paymentTransitions: Readonly<Record<PaymentFactType, readonly (PaymentStatus | 'nothing')[]>> = {
  'payment.opened': ['nothing'],
  'payment.authorized': ['authorizing'],
  'payment.declined': ['authorizing'],
  'payment.hold_raised': ['authorized', 'cash_due'],
  'payment.captured': ['authorized'],
  'payment.voided': ['authorizing', 'authorized', 'cash_due'],
  'payment.cash_settled': ['cash_due'],
  'payment.tip_charged': ['captured', 'partially_refunded'],
  'payment.refunded': ['captured', 'partially_refunded'],
};

/** In these a payment needs nothing more of anybody. */
export const settledPaymentStatuses: readonly PaymentStatus[] = [
  'captured',
  'voided',
  'failed',
  'cash_settled',
  'partially_refunded',
  'refunded',
];

/** The payment after a fact. Folding all of a payment's facts from `null` rebuilds its row. */
export function foldPayment(payment: Payment | null, fact: PaymentFact): Payment {
  const status = payment?.status ?? 'nothing';
  if (!paymentTransitions[fact.type].includes(status)) {
    throw new Error(`impossible: ${fact.type} on a payment that is ${status}`);
  }
  if (fact.type === 'payment.opened') return open(fact.data);
  if (payment === null) throw new Error(`impossible: ${fact.type} before payment.opened`);
  return { ...payment, ...changes(payment, fact), version: payment.version + 1 };
}

const open = (order: PaymentOrder): Payment => ({
  ...order,
  version: 1,
  status: order.method.type === 'cash' ? 'cash_due' : 'authorizing',
  intentId: null,
  driverId: null,
  capturedMinor: 0,
  tipMinor: 0,
  refundedMinor: 0,
  failureReason: null,
});

function changes(payment: Payment, fact: Exclude<PaymentFact, { type: 'payment.opened' }>): Partial<Payment> {
  switch (fact.type) {
    case 'payment.authorized':
      return { status: 'authorized', intentId: fact.data.intentId };
    case 'payment.declined':
      return { status: 'failed', failureReason: fact.data.reason };
    case 'payment.hold_raised':
      return { amountMinor: fact.data.amountMinor };
    case 'payment.captured':
      return { status: 'captured', capturedMinor: fact.data.amountMinor, driverId: fact.data.driverId };
    case 'payment.voided':
      return { status: 'voided' };
    case 'payment.cash_settled':
      return { status: 'cash_settled', driverId: fact.data.driverId };
    case 'payment.tip_charged':
      return { tipMinor: fact.data.tipMinor };
    case 'payment.refunded': {
      const refundedMinor = payment.refundedMinor + fact.data.amountMinor;
      return {
        refundedMinor,
        status: refundedMinor >= payment.capturedMinor ? 'refunded' : 'partially_refunded',
      };
    }
  }
}

/** The ride's last word to its payment. `amountMinor` 0 releases the hold. */
export interface RideOutcome {
  readonly amountMinor: number;
  readonly driverId: string | null;
}

/** What a payment at its end comes to, split between driver and platform. Without a driver all is the platform's. */
export function settlement(outcome: RideOutcome, commissionBasisPoints: number): { commissionMinor: number } {
  const { amountMinor, driverId } = outcome;
  return {
    commissionMinor: driverId === null ? amountMinor : commissionMinor(amountMinor, commissionBasisPoints),
  };
}

/** One step a fact, named by what it does: the activity by which a payment's workflow records it. */
export const paymentSteps = {
  'payment.opened': 'openPayment',
  'payment.authorized': 'recordAuthorized',
  'payment.declined': 'recordDeclined',
  'payment.hold_raised': 'recordHoldRaised',
  'payment.captured': 'recordCaptured',
  'payment.voided': 'recordVoided',
  'payment.cash_settled': 'recordCashSettled',
  'payment.tip_charged': 'recordTip',
  'payment.refunded': 'recordRefund',
} as const satisfies Record<PaymentFactType, string>;

export type PaymentStep = (typeof paymentSteps)[PaymentFactType];

/** Whether a fact may be the payment's next one. */
export const mayFollow = (payment: Payment | null, type: PaymentFactType): boolean =>
  paymentTransitions[type].includes(payment?.status ?? 'nothing');

/** What asking a card for money came to. */
export type Charged =
  | { readonly charged: true; readonly intentId: string }
  | { readonly charged: false; readonly reason: string };

/** What asking for a larger hold came to. A raise that was declined leaves the hold as it was. */
export type Raised = { readonly raised: true } | { readonly raised: false; readonly reason: string };

/** What a ride needs its payment to secure by now, for a change of its route. The same `changeId` is the same raise. */
export interface HoldRaise {
  readonly changeId: string;
  /** The whole amount, in minor units of the payment's currency. */
  readonly toMinor: number;
}

/** What giving money back came to. */
export type Refunded =
  | { readonly refunded: true; readonly refundId: string }
  | { readonly refunded: false; readonly reason: string };

/** The least that a payment's workflow knows of a tip that it asks the provider for. */
export interface TipCharge {
  readonly rideId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly paymentMethod: string;
  /** 1 for the first one asked for; one more after each that was declined. */
  readonly attempt: number;
}
