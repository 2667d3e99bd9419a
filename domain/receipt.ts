import { chargedLines, type ChargeLine } from './charge';
import { foldPayment, type Payment } from './payment';
import type { PaymentFact } from './paymentFacts';
import { excessMinor } from './paymentPlan';
import type { PaymentMethod, Ride } from './ride';

/** One line of a receipt; what goes back to the rider is negative. */
export interface ReceiptLine {
  readonly kind:
    ChargeLine['kind'] | 'taken_too_much' | 'adjustment' | 'tip' | 'refund' | 'refund_failed' | 'waiver';
  readonly name?: string | undefined;
  readonly amountMinor: number;
  /** When it was added to what the ride came to at its end, ISO 8601 in UTC. */
  readonly at?: string;
}

/** What a ride costs its rider by now. Amounts are in minor units of `currency`. */
export interface Receipt {
  readonly rideId: string;
  readonly currency: string;
  readonly paymentMethod: PaymentMethod['type'];
  readonly lines: readonly ReceiptLine[];
  /** The sum of the lines. */
  readonly totalMinor: number;
  /** Of the total, what was taken and not given back, tips included; in cash, what the driver was given. */
  readonly paidMinor: number;
  /** The rest: on its way to be taken, or the rider's debt. */
  readonly dueMinor: number;
}

/**
 * The receipt of a ride that has ended, from the ride and from what happened to its payment, in order. A dispute does
 * not show: it is between the rider's bank and us.
 */
export function receiptOf(ride: Ride, facts: readonly PaymentFact[]): Receipt {
  const payment = facts.reduce<Payment | null>(foldPayment, null);
  const lines = [...chargedLines(ride), ...facts.flatMap(lineAfterRide)];
  const totalMinor = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const paidMinor = facts.reduce((sum, fact) => sum + paidBy(fact), 0);
  return {
    rideId: ride.rideId,
    currency: ride.fare.currency,
    paymentMethod: (payment ?? { method: ride.paymentMethod }).method.type,
    lines,
    totalMinor,
    paidMinor,
    dueMinor: totalMinor - paidMinor,
  };
}

function lineAfterRide({ type, at, data }: PaymentFact): ReceiptLine[] {
  switch (type) {
    case 'payment.captured': {
      const amountMinor = excessMinor(data);
      return amountMinor === 0 ? [] : [{ kind: 'taken_too_much', amountMinor, at }];
    }
    case 'payment.extra_charged':
      return [{ kind: 'adjustment', amountMinor: data.amountMinor, at }];
    case 'payment.tip_charged':
      return [{ kind: 'tip', amountMinor: data.tipMinor, at }];
    case 'payment.refunded':
      return [{ kind: 'refund', amountMinor: -data.amountMinor, at }];
    case 'payment.refund_failed':
      return [{ kind: 'refund_failed', amountMinor: data.amountMinor, at }];
    case 'payment.waived':
      return [{ kind: 'waiver', amountMinor: -data.amountMinor, at }];
    default:
      return [];
  }
}

function paidBy({ type, data }: PaymentFact): number {
  switch (type) {
    case 'payment.captured':
    case 'payment.collected':
    case 'payment.extra_charged':
    case 'payment.cash_settled':
    case 'payment.refund_failed':
      return data.amountMinor;
    case 'payment.tip_charged':
      return data.tipMinor;
    case 'payment.refunded':
      return -data.amountMinor;
    default:
      return 0;
  }
}
