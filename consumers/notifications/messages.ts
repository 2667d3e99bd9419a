import type { ReadBy } from '../../contracts/consumers';
import type { KnownFact } from '../../contracts/knownFact';
import { driverAccount, ledgerEntries } from '../../domain/ledger';
import { money } from '../../domain/money';
import { tooSmall } from '../../domain/paymentCalls';
import type { PaymentFactType } from '../../domain/paymentFacts';

export type Role = 'rider' | 'driver';
export type Channel = 'push' | 'email';

/** A fact that people are told of, or webhooks. */
export type News = KnownFact<ReadBy<'notifications'>>;

/** What is said about a fact, before it is known who the rider is. */
export interface Message {
  readonly role: Role;
  /** The driver's id; null for the rider, whom most facts do not name. */
  readonly driverId: string | null;
  readonly channel: Channel;
  readonly template: string;
  readonly text: string;
}

const toRider = (channel: Channel, template: string, text: string): Message => ({
  role: 'rider',
  driverId: null,
  channel,
  template,
  text,
});

/** Nobody where there was no driver. */
const toDriver = (driverId: string | null, template: string, text: string): Message[] =>
  driverId === null ? [] : [{ role: 'driver', driverId, channel: 'push', template, text }];

/** What a fact of a ride or payment means to people; nothing where nobody cares. */
export function messagesFor(fact: News): Message[] {
  switch (fact.type) {
    case 'ride.requested': {
      const { totalMinor, currency } = fact.data.fare;
      const text = `Your ride is requested for ${money(totalMinor, currency)}.`;
      return [toRider('push', 'ride_requested', text)];
    }
    case 'ride.scheduled':
    case 'ride.rescheduled': {
      const { totalMinor, currency } = fact.data.fare;
      const text = `Your ride for later is booked for ${money(totalMinor, currency)}.`;
      return [toRider('push', fact.type === 'ride.scheduled' ? 'ride_scheduled' : 'ride_rescheduled', text)];
    }
    case 'ride.payment_failed':
      return [toRider('push', 'payment_failed', 'Your payment was declined, so the ride was not started.')];
    case 'ride.driver_assigned':
      return [toRider('push', 'driver_assigned', 'Your driver is on the way.')];
    case 'ride.driver_reserved':
      return [
        toRider('push', 'driver_reserved', 'A driver who is about to finish a ride comes to you next.'),
      ];
    case 'ride.driver_reservation_released':
      return [
        toRider('push', 'driver_held_up', 'Your driver is held up. We are looking for another one.'),
        ...toDriver(fact.data.driverId, 'reservation_released', 'Your next ride goes to somebody else.'),
      ];
    case 'ride.driver_unassigned':
      return [
        toRider('push', 'driver_unassigned', 'Your driver cannot come. We are looking for another one.'),
        ...toDriver(fact.data.driverId, 'ride_given_back', 'You are no longer on this ride.'),
      ];
    case 'ride.driver_arrived':
      return [toRider('push', 'driver_arrived', 'Your driver is here.')];
    case 'ride.no_driver_found':
      return [toRider('push', 'no_driver', 'No driver is free near you right now. You pay nothing.')];
    case 'ride.route_change_declined':
      return routeStays(fact.data.by);
    case 'ride.route_changed': {
      const { totalMinor, currency } = fact.data.fare;
      return [
        toRider('push', 'route_changed', `The route is changed. The fare is ${money(totalMinor, currency)}.`),
      ];
    }
    case 'ride.fare_adjusted': {
      const { totalMinor, currency } = fact.data.fare;
      return [
        toRider('push', 'fare_adjusted', `The fare of your ride is now ${money(totalMinor, currency)}.`),
      ];
    }
    case 'ride.completed': {
      const amount = money(fact.data.chargeMinor, fact.data.currency);
      return [
        toRider('push', 'ride_completed', `You have arrived. The ride comes to ${amount}.`),
        ...toDriver(fact.data.driverId, 'ride_done', `The ride is complete: ${amount}.`),
      ];
    }
    case 'ride.cancelled':
      return cancelled(fact.data);
    case 'payment.action_required': {
      const until = `${fact.data.deadlineAt.slice(11, 16)} UTC`;
      const text = `Your bank asks you to confirm your payment, until ${until}: open your ride to do so.`;
      return [toRider('push', 'payment_action_required', text)];
    }
    case 'payment.method_changed': {
      const next = fact.data.method.type === 'cash' ? 'please pay in cash' : 'your next card is tried';
      return [toRider('push', 'payment_method_changed', `Your card could not be used: ${next}.`)];
    }
    case 'payment.captured': {
      const { amountMinor, owedMinor = amountMinor, currency, driverId } = fact.data;
      const debt =
        owedMinor > amountMinor ? ` You owe another ${money(owedMinor - amountMinor, currency)}.` : '';
      return [
        toRider(
          'email',
          'receipt',
          `Receipt: ${money(amountMinor, currency)} were charged to your card.${debt}`,
        ),
        ...toDriver(driverId, 'earned', `You earned ${money(earnedMinor(driverId, fact), currency)}.`),
      ];
    }
    case 'payment.charge_failed': {
      const { owedMinor, currency, driverId } = fact.data;
      const text = `${money(owedMinor, currency)} could not be charged to your card. You owe it for your ride.`;
      // Too little to be charged at all is waived at once.
      const toPayer = fact.data.reason === tooSmall ? [] : [toRider('email', 'charge_failed', text)];
      return [
        ...toPayer,
        ...toDriver(driverId, 'earned', `You earned ${money(earnedMinor(driverId, fact), currency)}.`),
      ];
    }
    case 'payment.collected': {
      const amount = money(fact.data.amountMinor, fact.data.currency);
      return [
        toRider('email', 'debt_receipt', `Receipt: ${amount} that you owed were charged to your card.`),
      ];
    }
    case 'payment.waived': {
      const amount = money(fact.data.amountMinor, fact.data.currency);
      return [toRider('email', 'debt_waived', `You do not have to pay the ${amount} that you owed.`)];
    }
    case 'payment.extra_charged': {
      const { amountMinor, currency, driverId } = fact.data;
      return [
        toRider(
          'email',
          'extra_receipt',
          `Receipt: another ${money(amountMinor, currency)} were charged to your card.`,
        ),
        ...toDriver(
          driverId,
          'earned',
          `You earned another ${money(earnedMinor(driverId, fact), currency)}.`,
        ),
      ];
    }
    case 'payment.cash_settled': {
      const { amountMinor, currency, driverId } = fact.data;
      const dueMinor = -earnedMinor(driverId, fact);
      return [
        toRider('email', 'cash_receipt', `Receipt: ${money(amountMinor, currency)}, paid in cash.`),
        ...toDriver(
          driverId,
          'commission_due',
          `You owe ${money(dueMinor, currency)} of it: commission and tax.`,
        ),
      ];
    }
    case 'payment.tip_charged': {
      const tip = money(fact.data.tipMinor, fact.data.currency);
      return [
        toRider('email', 'tip_receipt', `Receipt: a tip of ${tip} was charged to your card.`),
        ...toDriver(fact.data.driverId, 'tip_received', `You got a tip of ${tip}.`),
      ];
    }
    case 'payment.refunded': {
      const { amountMinor, currency } = fact.data;
      return [toRider('email', 'refund', `${money(amountMinor, currency)} go back to your card.`)];
    }
    case 'payment.refund_failed': {
      const { amountMinor, currency } = fact.data;
      const text = `${money(amountMinor, currency)} could not go back to your card. We shall find another way.`;
      return [toRider('email', 'refund_failed', text)];
    }
    case 'payout.paid': {
      const { driverId, amountMinor, currency } = fact.data;
      return toDriver(driverId, 'paid_out', `${money(amountMinor, currency)} are on their way to you.`);
    }
    case 'payout.failed': {
      const { driverId, amountMinor, currency } = fact.data;
      const text = `Your payout of ${money(amountMinor, currency)} failed: please check your account. The money stays yours.`;
      return toDriver(driverId, 'payout_failed', text);
    }
    case 'payout.returned': {
      const { driverId, amountMinor, currency } = fact.data;
      const text = `${money(amountMinor, currency)} of your payout came back: they are in your balance again.`;
      return toDriver(driverId, 'payout_returned', text);
    }
    case 'payout_account.changed': {
      const { driverId, previousDestination } = fact.data;
      const text =
        previousDestination === null
          ? 'Your payouts go to the account that you gave.'
          : 'Your payouts go to another account from now on. If this was not you, tell us at once.';
      return toDriver(driverId, 'payout_account_changed', text);
    }
    default:
      return [];
  }
}

/** What the books owe the driver more by this fact, in minor units; below 0 where the driver owes it. */
function earnedMinor(driverId: string | null, fact: Extract<News, { type: PaymentFactType }>): number {
  if (driverId === null) return 0;
  const account = driverAccount(driverId);
  const lines = ledgerEntries(fact).filter((line) => line.account === account);
  return lines.reduce((sum, { amountMinor }) => sum - amountMinor, 0);
}

function routeStays(by: 'rider' | 'driver' | 'payment'): Message[] {
  if (by === 'driver') return [toRider('push', 'route_change_declined', 'Your driver keeps to the route.')];
  // A rider who takes a proposal back knows.
  if (by === 'rider') return [];
  const text = 'Your card does not cover the new route, so it stays as it was.';
  return [toRider('push', 'route_change_unpaid', text)];
}

function cancelled(data: Extract<News, { type: 'ride.cancelled' }>['data']): Message[] {
  const { by, feeMinor, currency, driverId } = data;
  const fee = feeMinor === 0 ? 'You pay nothing.' : `The fee is ${money(feeMinor, currency)}.`;
  const said = {
    rider: 'Your ride is cancelled.',
    operator: 'We had to cancel your ride.',
    no_show: 'Your driver waited and has left.',
  }[by];
  const why = { rider: 'The rider has cancelled.', operator: 'The ride was cancelled by us.', no_show: null }[
    by
  ];
  return [
    toRider('push', `ride_cancelled_${by}`, `${said} ${fee}`),
    // A driver who reported a no-show knows.
    ...(why === null ? [] : toDriver(driverId, `ride_cancelled_${by}`, why)),
  ];
}
