import type { PaymentMethod } from './ride';

/** What a ride asks its payment to secure. Amounts are integers in minor units of `currency`. */
export interface PaymentOrder {
  readonly rideId: string;
  readonly riderId: string;
  readonly method: PaymentMethod;
  /** What is tried, in this order, where `method` is declined; none unless told otherwise. */
  readonly fallbacks?: readonly PaymentMethod[];
  readonly amountMinor: number;
  readonly currency: string;
}

/** What a rider owes money for; a fare unless told otherwise. */
export type ChargeReason = 'fare' | 'cancellation_fee' | 'no_show_fee';

/** What the provider is asked for. */
export type ProviderCall =
  'authorize' | 'raiseHold' | 'capture' | 'voidHold' | 'chargeTip' | 'chargeExtra' | 'collect' | 'refund';

/** What a rider owes and how it is shared: the driver gets what is neither commission nor tax. */
interface Split {
  readonly currency: string;
  readonly driverId: string | null;
  readonly commissionMinor: number;
  /** Goes on to the state; 0 unless told otherwise. */
  readonly taxMinor?: number;
  readonly for?: ChargeReason;
}

interface Amount {
  readonly amountMinor: number;
  readonly currency: string;
}

/** The data of every fact of a payment. contracts/facts/payments.ts holds the schema of each to this. */
export interface PaymentFactData {
  'payment.opened': PaymentOrder;
  /** The rider's bank wants to see the rider, who has until `deadlineAt`. */
  'payment.action_required': { readonly intentId: string; readonly deadlineAt: string };
  /** The method before it was declined, or its rider did not answer; `method` is tried next. */
  'payment.method_changed': { readonly method: PaymentMethod; readonly reason: string };
  'payment.authorized': Amount & { readonly intentId: string };
  'payment.declined': { readonly reason: string };
  /** A new hold in the place of one that ends before its ride. */
  'payment.reauthorized': Amount & { readonly intentId: string; readonly replacedIntentId: string };
  /** `amountMinor` is the whole hold after it; without an intent, what is to be paid in cash. */
  'payment.hold_raised': Amount & { readonly intentId: string | null; readonly changeId: string };
  /** Nobody knows yet what became of a call to the provider. */
  'payment.unresolved': { readonly call: ProviderCall; readonly reason: string };
  /** It is known: by the provider's answer, or by what an operator says, with their evidence. */
  'payment.resolved': {
    readonly by: 'provider' | 'operator';
    readonly outcome: string;
    readonly evidence?: string;
    readonly operatorId?: string;
  };
  /** `amountMinor` was taken; where another amount is owed, `owedMinor` says how much. */
  'payment.captured': Amount & Split & { readonly intentId: string; readonly owedMinor?: number };
  /** Nothing could be taken of what is owed: it is the rider's debt. */
  'payment.charge_failed': Split & { readonly owedMinor: number; readonly reason: string };
  /** A debt, or part of it, was paid. */
  'payment.collected': Amount & { readonly intentId: string };
  /** A debt, or part of it, is given up. */
  'payment.waived': Amount & { readonly reason: string; readonly operatorId?: string };
  'payment.voided': { readonly intentId: string | null };
  /** The driver has the cash, and owes commission and tax. */
  'payment.cash_settled': Amount & Split;
  'payment.tip_charged': {
    readonly intentId: string;
    readonly tipMinor: number;
    readonly currency: string;
    readonly driverId: string | null;
  };
  /** An operator's adjustment upwards: a charge of its own. */
  'payment.extra_charged': Amount &
    Split & { readonly intentId: string; readonly reason: string; readonly operatorId?: string };
  /**
   * `intentId` is what was refunded; the ride's capture unless told otherwise. `refundKey` is an API caller's key, hashed,
   * and `leftMinor` what was still to go back for it.
   */
  'payment.refunded': Amount & {
    readonly refundId: string;
    readonly reason: string;
    readonly intentId?: string;
    readonly operatorId?: string;
    readonly refundKey?: string;
    readonly leftMinor?: number;
  };
  /** Of what was refunded, this has come back to us: the rider does not have it. */
  'payment.refund_failed': Amount & {
    readonly refundId: string;
    readonly intentId: string;
    readonly reason: string;
  };
  /** The rider has otherwise what had come back to us: an operator says so, with where that is to be seen. */
  'payment.refund_settled': Amount & { readonly evidence: string; readonly operatorId: string };
}

export type PaymentFactType = keyof PaymentFactData;

/** What happened to a payment, and when. */
export type PaymentFact = {
  [T in PaymentFactType]: { readonly type: T; readonly at: string; readonly data: PaymentFactData[T] };
}[PaymentFactType];

/** One step a fact, named by what it does: the activity by which a payment's workflow records it. */
export const paymentSteps = {
  'payment.opened': 'openPayment',
  'payment.action_required': 'recordActionRequired',
  'payment.method_changed': 'recordMethodChanged',
  'payment.authorized': 'recordAuthorized',
  'payment.declined': 'recordDeclined',
  'payment.reauthorized': 'recordReauthorized',
  'payment.hold_raised': 'recordHoldRaised',
  'payment.unresolved': 'recordUnresolved',
  'payment.resolved': 'recordResolved',
  'payment.captured': 'recordCaptured',
  'payment.charge_failed': 'recordChargeFailed',
  'payment.collected': 'recordCollected',
  'payment.waived': 'recordWaived',
  'payment.voided': 'recordVoided',
  'payment.cash_settled': 'recordCashSettled',
  'payment.tip_charged': 'recordTip',
  'payment.extra_charged': 'recordExtraCharge',
  'payment.refunded': 'recordRefund',
  'payment.refund_failed': 'recordRefundFailed',
  'payment.refund_settled': 'recordRefundSettled',
} as const satisfies Record<PaymentFactType, string>;

export type PaymentStep = (typeof paymentSteps)[PaymentFactType];
