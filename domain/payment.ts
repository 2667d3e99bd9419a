import type { ChargeReason, PaymentFact, PaymentFactType, PaymentOrder, ProviderCall } from './paymentFacts';
import type { PaymentMethod } from './ride';

const open = ['authorizing', 'action_required', 'authorized', 'cash_due', 'unresolved', 'owed'] as const;
const settled = [
  'captured',
  'voided',
  'failed',
  'cash_settled',
  'partially_refunded',
  'refunded',
  'waived',
] as const;

export const paymentStatuses = [...open, ...settled] as const;

/** One payment a ride; its id is the ride's. */
export type PaymentStatus = (typeof paymentStatuses)[number];

/** In these a payment waits for somebody, or needs somebody. */
export const openPaymentStatuses: readonly PaymentStatus[] = open;

/** In these the ride's end is acted on, and nothing is held; of what was taken a part may be owed (`isSettled`). */
export const settledPaymentStatuses: readonly PaymentStatus[] = settled;

/** Money that was taken for the ride, and what of it went back; a tip is none. In minor units. */
export interface Taken {
  readonly intentId: string;
  readonly amountMinor: number;
  readonly refundedMinor: number;
}

/** A payment as its facts tell it; the row in Postgres is exactly this. */
export interface Payment extends PaymentOrder {
  readonly version: number;
  readonly status: PaymentStatus;
  /** What is tried next where `method` is declined. */
  readonly fallbacks: readonly PaymentMethod[];
  /** The provider's id of the hold, once there is one. */
  readonly intentId: string | null;
  /** Until when the rider has to answer their bank, ISO 8601 in UTC. */
  readonly actionDeadlineAt: string | null;
  /** What nobody knows the outcome of, and which status it goes on from. */
  readonly unresolved: {
    readonly call: ProviderCall;
    readonly since: string;
    readonly from: PaymentStatus;
  } | null;
  readonly driverId: string | null;
  readonly chargedFor: ChargeReason | null;
  /** All that was taken for the ride beside tips, refunds not counted. */
  readonly capturedMinor: number;
  readonly charges: readonly Taken[];
  /** What the rider still owes after the ride. */
  readonly owedMinor: number;
  readonly tipMinor: number;
  readonly refundedMinor: number;
  /** What was given back, has come back to us, and the rider does not have otherwise yet. */
  readonly refundFailedMinor: number;
  readonly failureReason: string | null;
}

const paid: readonly PaymentStatus[] = ['captured', 'partially_refunded', 'refunded'];

/** From which statuses a fact may follow. The compare-and-set, the diagram and the tests come from it. */
export const paymentTransitions: Readonly<Record<PaymentFactType, readonly (PaymentStatus | 'nothing')[]>> = {
  'payment.opened': ['nothing'],
  'payment.action_required': ['authorizing'],
  'payment.method_changed': ['authorizing', 'action_required'],
  'payment.authorized': ['authorizing', 'action_required'],
  'payment.declined': ['authorizing', 'action_required'],
  'payment.reauthorized': ['authorized'],
  'payment.hold_raised': ['authorized', 'cash_due'],
  'payment.unresolved': ['authorizing', 'action_required', 'authorized', 'owed', ...paid],
  'payment.resolved': ['unresolved'],
  'payment.captured': ['authorized'],
  'payment.charge_failed': ['authorized'],
  'payment.collected': ['owed', ...paid],
  'payment.waived': ['owed', ...paid],
  'payment.voided': ['authorizing', 'action_required', 'authorized', 'cash_due'],
  'payment.cash_settled': ['cash_due'],
  'payment.tip_charged': ['captured', 'partially_refunded'],
  'payment.extra_charged': [...paid],
  'payment.refunded': ['captured', 'partially_refunded'],
  'payment.refund_failed': ['partially_refunded', 'refunded'],
  'payment.refund_settled': [...paid],
};

/** Whether it needs nothing more of anybody: one that was taken in part, and of which the rest is owed, does. */
export const isSettled = ({ status, owedMinor }: Pick<Payment, 'status' | 'owedMinor'>): boolean =>
  settledPaymentStatuses.includes(status) && owedMinor === 0;

/** Whether a fact may be the payment's next one. */
export const mayFollow = (payment: Payment | null, type: PaymentFactType): boolean =>
  paymentTransitions[type].includes(payment?.status ?? 'nothing');

/** The payment after a fact. Folding all of a payment's facts from `null` rebuilds its row. */
export function foldPayment(payment: Payment | null, fact: PaymentFact): Payment {
  if (!mayFollow(payment, fact.type))
    throw new Error(`impossible: ${fact.type} on a payment that is ${payment?.status ?? 'nothing'}`);
  if (fact.type === 'payment.opened') return openedBy(fact.data);
  if (payment === null) throw new Error(`impossible: ${fact.type} before payment.opened`);
  return { ...payment, ...changes(payment, fact), version: payment.version + 1 };
}

const openedBy = (order: PaymentOrder): Payment => ({
  ...order,
  version: 1,
  status: begins(order.method),
  fallbacks: order.fallbacks ?? [],
  intentId: null,
  actionDeadlineAt: null,
  unresolved: null,
  driverId: null,
  chargedFor: null,
  capturedMinor: 0,
  charges: [],
  owedMinor: 0,
  tipMinor: 0,
  refundedMinor: 0,
  refundFailedMinor: 0,
  failureReason: null,
});

const begins = (method: PaymentMethod): PaymentStatus =>
  method.type === 'cash' ? 'cash_due' : 'authorizing';

function changes(payment: Payment, fact: Exclude<PaymentFact, { type: 'payment.opened' }>): Partial<Payment> {
  switch (fact.type) {
    case 'payment.action_required': {
      const { intentId, deadlineAt } = fact.data;
      return { status: 'action_required', intentId, actionDeadlineAt: deadlineAt };
    }
    case 'payment.method_changed': {
      const { method } = fact.data;
      const fallbacks = payment.fallbacks.slice(1);
      return { status: begins(method), method, fallbacks, intentId: null, actionDeadlineAt: null };
    }
    case 'payment.authorized':
      return { status: 'authorized', intentId: fact.data.intentId, actionDeadlineAt: null };
    case 'payment.declined':
      return { status: 'failed', failureReason: fact.data.reason, actionDeadlineAt: null };
    case 'payment.reauthorized':
      return { intentId: fact.data.intentId, amountMinor: fact.data.amountMinor };
    case 'payment.hold_raised':
      return { amountMinor: fact.data.amountMinor };
    case 'payment.unresolved': {
      const { call } = fact.data;
      return { status: 'unresolved', unresolved: { call, since: fact.at, from: payment.status } };
    }
    case 'payment.resolved':
      return { status: payment.unresolved?.from ?? payment.status, unresolved: null };
    case 'payment.voided':
      return { status: 'voided', actionDeadlineAt: null };
    case 'payment.cash_settled':
      return { status: 'cash_settled', driverId: fact.data.driverId, chargedFor: fact.data.for ?? 'fare' };
    case 'payment.tip_charged':
      return { tipMinor: fact.data.tipMinor };
    default:
      return moneyChanges(payment, fact);
  }
}

type MoneyFact = Extract<
  PaymentFact,
  {
    type:
      | 'payment.captured'
      | 'payment.charge_failed'
      | 'payment.collected'
      | 'payment.waived'
      | 'payment.extra_charged'
      | 'payment.refunded'
      | 'payment.refund_failed'
      | 'payment.refund_settled';
  }
>;

/** What was taken, is owed and went back, and the status that follows from these. */
function moneyChanges(payment: Payment, fact: MoneyFact): Partial<Payment> {
  switch (fact.type) {
    case 'payment.captured': {
      const { intentId, amountMinor, driverId, owedMinor = amountMinor } = fact.data;
      const chargedFor = fact.data.for ?? 'fare';
      return {
        ...taken(payment, intentId, amountMinor),
        driverId,
        chargedFor,
        owedMinor: Math.max(0, owedMinor - amountMinor),
      };
    }
    case 'payment.charge_failed': {
      const { driverId, owedMinor, reason } = fact.data;
      return {
        status: 'owed',
        driverId,
        chargedFor: fact.data.for ?? 'fare',
        owedMinor,
        failureReason: reason,
      };
    }
    case 'payment.collected': {
      const { intentId, amountMinor } = fact.data;
      return { ...taken(payment, intentId, amountMinor), owedMinor: payment.owedMinor - amountMinor };
    }
    case 'payment.waived': {
      const owedMinor = payment.owedMinor - fact.data.amountMinor;
      return { owedMinor, status: payment.status === 'owed' && owedMinor === 0 ? 'waived' : payment.status };
    }
    case 'payment.extra_charged':
      return taken(payment, fact.data.intentId, fact.data.amountMinor);
    case 'payment.refunded':
      return refunded(payment, fact.data.intentId ?? payment.intentId, fact.data.amountMinor);
    case 'payment.refund_failed': {
      const { intentId, amountMinor, reason: failureReason } = fact.data;
      return { ...refunded(payment, intentId, -amountMinor), failureReason };
    }
    case 'payment.refund_settled':
      return { refundFailedMinor: Math.max(0, payment.refundFailedMinor - fact.data.amountMinor) };
  }
}

function refunded(payment: Payment, intentId: string | null, byMinor: number): Partial<Payment> {
  const charges = payment.charges.map((charge) =>
    charge.intentId === intentId ? { ...charge, refundedMinor: charge.refundedMinor + byMinor } : charge,
  );
  const refundedMinor = payment.refundedMinor + byMinor;
  // Whatever goes back is first of all what could not before.
  const refundFailedMinor = Math.max(0, payment.refundFailedMinor - byMinor);
  return {
    charges,
    refundedMinor,
    refundFailedMinor,
    status: paidStatus(payment.capturedMinor, refundedMinor),
  };
}

function taken(payment: Payment, intentId: string, amountMinor: number): Partial<Payment> {
  const capturedMinor = payment.capturedMinor + amountMinor;
  return {
    capturedMinor,
    charges: [...payment.charges, { intentId, amountMinor, refundedMinor: 0 }],
    status: paidStatus(capturedMinor, payment.refundedMinor),
  };
}

const paidStatus = (capturedMinor: number, refundedMinor: number): PaymentStatus => {
  if (refundedMinor === 0) return 'captured';
  return refundedMinor >= capturedMinor ? 'refunded' : 'partially_refunded';
};
