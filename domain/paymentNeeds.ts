import type { Payment, PaymentStatus } from './payment';

/** Why a payment needs somebody. */
export type PaymentNeed = 'unresolved' | 'owed' | 'action_overdue' | 'refund_failed' | 'stuck';

/** What each need is, and what an operator does about it. */
export const paymentNeeds: Readonly<Record<PaymentNeed, { readonly is: string; readonly action: string }>> = {
  unresolved: {
    is: 'nobody knows what became of a call to the provider',
    action: 'nothing, unless it lasts: look at the provider, then retry it, or resolve it with what you saw',
  },
  owed: {
    is: 'the rider owes what the card did not give',
    action: 'retry it to charge the card again, or waive it',
  },
  action_overdue: {
    is: 'the time for the rider to answer their bank is over, and it has not gone on',
    action: 'see whether the payments worker runs; retry it',
  },
  refund_failed: {
    is: 'what was given back has come back to us: the rider does not have it',
    action: 'give it back again, or another way, and resolve it then with where that is to be seen',
  },
  stuck: {
    is: 'it is parked, or what it does has failed for minutes',
    action: "read its workflow's card: it says what failed and what helps",
  },
};

/** A payment looks each minute whether its rider has answered: it has noticed by then that the time is over. */
export const ACTION_NOTICED_MS = 2 * 60_000;

/** What operators find a payment by that goes as it should; whatever state it is in, its card says. */
export const paymentInOrder = 'in_order';

const outOfOrder: readonly PaymentStatus[] = ['action_required', 'unresolved', 'failed'];

/** What operators find a payment by: `in_order`, or what it is instead. */
export function paymentPhase({
  status,
  owedMinor,
  refundFailedMinor,
}: Pick<Payment, 'status' | 'owedMinor' | 'refundFailedMinor'>): string {
  if (outOfOrder.includes(status)) return status;
  if (owedMinor > 0) return 'owed';
  return refundFailedMinor > 0 ? 'refund_failed' : paymentInOrder;
}
