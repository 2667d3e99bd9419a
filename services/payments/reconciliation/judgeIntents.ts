import type Stripe from 'stripe';
import { paymentWorkflowId } from '../../../domain/names';
import { isSettled, type Payment } from '../../../domain/payment';
import type { Drift, Repair } from '../../../domain/reconciliation';
import { fromProvider } from '../provider/amounts';
import { idOf } from '../provider/client';
import { isBesideHouse } from '../provider/refundsThatDiffer';
import { takenByFacts, usesNoHold, type RideMoney } from './money';

/**
 * Whether the provider has this money as we say: what was taken, and what is held.
 * @param besideMinor what of it has gone back and is in no fact: it makes up for what was taken too much
 */
export function judgeIntent(intent: Stripe.PaymentIntent, ride: RideMoney, besideMinor: number): Drift[] {
  const { payment } = ride;
  if (payment === null) return unknownIntent(intent, ride.rideId, besideMinor);
  return [...judgeTaken(intent, ride, payment, besideMinor), ...judgeHold(intent, ride, payment)];
}

/** By how much more was taken at the provider than is booked, whatever has gone back. */
export const takenTooMuchMinor = (intent: Stripe.PaymentIntent, { facts }: RideMoney): number =>
  takenMinor(intent) - takenByFacts(facts, intent.id);

const currencyOf = ({ currency }: { currency: string }): string => currency.toUpperCase();
const heldMinor = (intent: Stripe.PaymentIntent): number =>
  fromProvider(intent.amount_capturable, intent.currency);
const takenMinor = (intent: Stripe.PaymentIntent): number =>
  fromProvider(intent.amount_received, intent.currency);

function unknownIntent(intent: Stripe.PaymentIntent, rideId: string, besideMinor: number): Drift[] {
  const byMinor = heldMinor(intent) + takenMinor(intent) - besideMinor;
  // Made and never confirmed, declined, or given back: no money.
  if (byMinor === 0) return [];
  return [
    {
      kind: 'intent_unknown',
      ids: { rideId, intentId: intent.id },
      ...{ byMinor, currency: currencyOf(intent) },
      says: `the provider has an intent (${intent.status}) for a ride of which we have no payment`,
      cause: 'another house shares the account, or our database has lost the payment',
      action: 'find out whose it is; cancel or refund it at the provider where it is nobody’s',
    },
  ];
}

const tell = (rideId: string, objectId: string): Repair => ({
  does: 'tell_workflow',
  workflowId: paymentWorkflowId(rideId),
  objectId,
});

const paidStatuses: readonly Payment['status'][] = ['captured', 'partially_refunded', 'refunded'];

function judgeTaken(
  intent: Stripe.PaymentIntent,
  ride: RideMoney,
  payment: Payment,
  besideMinor: number,
): Drift[] {
  const { rideId, stored } = ride;
  const byMinor = takenTooMuchMinor(intent, ride) - besideMinor;
  if (byMinor === 0) return [];
  const common = {
    kind: 'capture_differs',
    ids: { rideId, intentId: intent.id },
    ...{ byMinor, currency: currencyOf(intent) },
  } as const;
  if (byMinor < 0)
    return [
      {
        ...common,
        says: 'less was taken at the provider than is booked',
        action: 'an operator asks the provider what became of it: nothing in the house takes a booking back',
      },
    ];
  // One that has taken nothing by its facts needs no more of anybody: nobody would book this.
  const heard = !isSettled(payment) || paidStatuses.includes(payment.status);
  return [
    {
      ...common,
      says: `more was taken at the provider than is booked; the payment is ${payment.status}`,
      cause: cause(payment, stored.has(intent.id)),
      action: heard
        ? 'have the payment’s workflow look at the provider; where that does not help, refund it'
        : 'refund it at the provider',
      ...(heard ? { repair: tell(rideId, intent.id) } : {}),
    },
  ];
}

function cause(payment: Payment, isStored: boolean): string {
  if (!isStored) return 'the intent’s id was never stored: somebody else has made it';
  if (isSettled(payment)) return 'taken beside the house, or its answer was lost with its workflow';
  return 'the answer to the charge is still on its way, or was lost';
}

function judgeHold(intent: Stripe.PaymentIntent, ride: RideMoney, payment: Payment): Drift[] {
  const { rideId } = ride;
  const currency = currencyOf(intent);
  const ids = { rideId, intentId: intent.id };
  const isOpen = intent.status === 'requires_capture' || intent.status === 'requires_action';
  const byMinor = heldMinor(intent);
  const status = payment.unresolved?.from ?? payment.status;
  if (isOpen && usesNoHold(payment))
    return [
      {
        ...{ kind: 'hold_left_open', ids, byMinor, currency },
        says: `the rider’s money is still held (${intent.status}), and the payment is ${payment.status}`,
        cause: ride.stored.has(intent.id) ? 'its release was lost' : 'the intent’s id was never stored',
        action: 'release the hold',
        repair: { does: 'cancel_hold', rideId, intentId: intent.id },
      },
    ];
  const isCurrent = status === 'authorized' && payment.intentId === intent.id;
  if (isCurrent && intent.status === 'canceled')
    return [
      {
        ...{ kind: 'hold_gone', ids, byMinor: -payment.amountMinor, currency },
        says: 'the payment counts on a hold that the provider has not any more',
        cause: `the provider says: ${intent.cancellation_reason ?? 'canceled'}`,
        action: 'have the payment’s workflow look at the provider: it holds anew',
        repair: tell(rideId, intent.id),
      },
    ];
  if (intent.status !== 'requires_capture') return [];
  const differsByMinor = byMinor - (isCurrent ? payment.amountMinor : 0);
  if (differsByMinor === 0) return [];
  return [
    {
      ...{ kind: 'hold_differs', ids, byMinor: differsByMinor, currency },
      says: isCurrent
        ? 'another amount is held than the payment counts on'
        : `a hold that the payment, which is ${payment.status}, does not know of`,
      cause: 'the answer to a hold is still on its way, or was lost',
      action: 'have the payment’s workflow look at the provider',
      repair: tell(rideId, intent.id),
    },
  ];
}

/** Whether a refund of the provider’s is one of ours, with the same amount. */
export function judgeRefund(refund: Stripe.Refund, { rideId, payment, facts }: RideMoney): Drift[] {
  const currency = currencyOf(refund);
  const intentId = idOf(refund.payment_intent) ?? 'none';
  const gone = refund.status !== 'failed' && refund.status !== 'canceled';
  const givenMinor = gone ? fromProvider(refund.amount, refund.currency) : 0;
  const ours = facts.flatMap((fact) =>
    'refundId' in fact.data && fact.data.refundId === refund.id ? [{ ...fact.data, type: fact.type }] : [],
  );
  const bookedMinor = ours.reduce(
    (sum, { type, amountMinor }) => sum + (type === 'payment.refund_failed' ? -amountMinor : amountMinor),
    0,
  );
  const byMinor = givenMinor - bookedMinor;
  if (byMinor === 0) return [];
  const ids = { rideId, intentId, refundId: refund.id };
  const common = { kind: 'refund_differs', ids, byMinor, currency } as const;
  if (ours.length > 0 && !gone)
    return [
      {
        ...common,
        says: 'a refund that is booked has failed',
        cause: refund.failure_reason ?? 'the provider says no more',
        action: 'have the payment’s workflow look, or begin one that does: it is booked back',
        repair: { does: 'tell_refunds', rideId, refundId: refund.id },
      },
    ];
  if (ours.length > 0)
    return [
      {
        ...common,
        says: 'another amount was refunded than is booked',
        action: 'an operator asks the provider which is right: an adjustment would give back once more',
      },
    ];
  const says = 'money was given back at the provider, and is not booked';
  if (!isBesideHouse(refund))
    return [
      {
        ...common,
        says,
        cause: 'the answer to the refund is still on its way, or was lost',
        action:
          'have the payment’s workflow look: it asks for this refund again; where it was ended, reset it',
        ...(payment ? { repair: tell(rideId, refund.id) } : {}),
      },
    ];
  const cause = 'it was refunded beside the house, on the provider’s own page';
  if (payment?.charges.some((charge) => charge.intentId === intentId))
    return [
      {
        ...common,
        ...{ says, cause },
        action: 'have the payment’s workflow look, or begin one that does: it is booked',
        repair: { does: 'tell_refunds', rideId, refundId: refund.id },
      },
    ];
  return [
    {
      ...common,
      ...{ says, cause },
      action: 'an operator takes note: what is given back of a tip is not booked, and stays named',
    },
  ];
}

/** What our facts tell of and the provider says it has not. */
export const unknownToProvider = (
  ids: Readonly<Record<string, string>>,
  money?: { readonly byMinor: number; readonly currency: string },
): Drift => ({
  kind: 'unknown_to_provider',
  ids,
  ...(money && money.byMinor !== 0 ? money : {}),
  says: 'our facts tell of it, and the provider does not know it',
  cause: 'another account or mode of the provider, or a fact that never happened',
  action: 'check the API key’s account; then ask the provider for its events of that day',
});
