import type { Payment } from './payment';
import type { PaymentFactData } from './paymentFacts';
import { settlement, type RideOutcome } from './settlement';

/** Money that goes back to where it came from. */
export interface RefundPart {
  readonly intentId: string;
  readonly amountMinor: number;
}

/** What goes back in all, in minor units. */
export const sumOf = (parts: readonly RefundPart[]): number =>
  parts.reduce((sum, { amountMinor }) => sum + amountMinor, 0);

/** What has to be done so that a ride costs its rider another amount. */
export interface Adjustment {
  /** Of the debt, what is given up. */
  readonly waiveMinor: number;
  readonly refunds: readonly RefundPart[];
  /** What has to be charged beside. */
  readonly chargeMinor: number;
}

/**
 * The fact of a ride's end of which `takenMinor` was taken by this intent: what is owed more than that is the rider's
 * debt. Driver, platform and state have their shares of what is owed; what was taken too much is the platform's, until it
 * is given back.
 */
export function capturedData(
  { currency }: Pick<Payment, 'currency'>,
  outcome: RideOutcome,
  { intentId, takenMinor }: { readonly intentId: string; readonly takenMinor: number },
  commissionBasisPoints: number,
): PaymentFactData['payment.captured'] {
  const split = splitOf(outcome, currency, commissionBasisPoints);
  return {
    intentId,
    amountMinor: takenMinor,
    ...split,
    commissionMinor:
      split.commissionMinor + excessMinor({ amountMinor: takenMinor, owedMinor: outcome.amountMinor }),
    ...(takenMinor === outcome.amountMinor ? {} : { owedMinor: outcome.amountMinor }),
  };
}

/** How much more was taken than is owed, in minor units: somebody else has captured the hold. It goes back. */
export const excessMinor = ({
  amountMinor,
  owedMinor = amountMinor,
}: Pick<PaymentFactData['payment.captured'], 'amountMinor' | 'owedMinor'>): number =>
  Math.max(0, amountMinor - owedMinor);

/** The same where nothing could be taken. */
export const chargeFailedData = (
  { currency }: Pick<Payment, 'currency'>,
  outcome: RideOutcome,
  reason: string,
  commissionBasisPoints: number,
): PaymentFactData['payment.charge_failed'] => ({
  owedMinor: outcome.amountMinor,
  ...splitOf(outcome, currency, commissionBasisPoints),
  reason,
});

/** The same where the driver has it in cash. */
export const cashSettledData = (
  { currency }: Pick<Payment, 'currency'>,
  outcome: RideOutcome,
  commissionBasisPoints: number,
): PaymentFactData['payment.cash_settled'] => ({
  amountMinor: outcome.amountMinor,
  ...splitOf(outcome, currency, commissionBasisPoints),
});

/** An operator's charge beside the fare: it has neither toll nor tax. */
export const extraChargedData = (
  { currency, driverId }: Pick<Payment, 'currency' | 'driverId'>,
  charge: {
    readonly intentId: string;
    readonly amountMinor: number;
    readonly reason: string;
    readonly operatorId?: string;
  },
  commissionBasisPoints: number,
): PaymentFactData['payment.extra_charged'] => ({
  ...charge,
  currency,
  driverId,
  ...settlement({ amountMinor: charge.amountMinor, driverId }, commissionBasisPoints),
});

function splitOf(outcome: RideOutcome, currency: string, commissionBasisPoints: number) {
  const { driverId, for: reason = 'fare' } = outcome;
  return { currency, driverId, ...settlement(outcome, commissionBasisPoints), for: reason };
}

/** What the ride costs its rider by now, beside tips: what was taken and not given back, and what is owed. */
export const costMinor = ({ capturedMinor, refundedMinor, owedMinor }: Payment): number =>
  capturedMinor - refundedMinor + owedMinor;

/** How much can still be given back, in minor units: a tip is not. */
export const refundableMinor = ({ charges }: Payment): number =>
  charges.reduce((sum, { amountMinor, refundedMinor }) => sum + amountMinor - refundedMinor, 0);

/**
 * From which charges an amount goes back: the newest first, each to what is left of it.
 * @throws Error where more is asked for than is left: ask `refundableMinor` first
 */
export function refundsOver(payment: Payment, amountMinor: number): RefundPart[] {
  const parts: RefundPart[] = [];
  let leftMinor = amountMinor;
  for (const charge of [...payment.charges].reverse()) {
    const partMinor = Math.min(leftMinor, charge.amountMinor - charge.refundedMinor);
    if (partMinor > 0) parts.push({ intentId: charge.intentId, amountMinor: partMinor });
    leftMinor -= partMinor;
  }
  if (leftMinor > 0) throw new Error(`impossible: ${leftMinor} more to give back than was taken`);
  return parts;
}

/** The way to another cost, beside tips: less first lowers the debt, then gives back; more is a charge of its own. */
export function adjustmentTo(payment: Payment, toMinor: number): Adjustment {
  const moreMinor = toMinor - costMinor(payment);
  if (moreMinor >= 0) return { waiveMinor: 0, refunds: [], chargeMinor: moreMinor };
  const waiveMinor = Math.min(payment.owedMinor, -moreMinor);
  return { waiveMinor, refunds: refundsOver(payment, -moreMinor - waiveMinor), chargeMinor: 0 };
}
