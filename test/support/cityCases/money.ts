import type { Evidence } from '../../../tools/city/verdict/evidence';
import { fact, ofRide, put, withId, without, type Case, type Mutable } from './doctor';

/** What breaks the promises on money. */
export const moneyCases: readonly Case[] = [
  [
    'noRiderChargedTwice',
    'an intent is captured twice',
    'pi_ride-1 was captured twice',
    (e) => e.movements.push(e.movements[0]!),
  ],
  [
    'noRiderChargedTwice',
    'a second intent is captured for a ride',
    '2200 was taken where 1200',
    (e) => e.movements.push({ ...e.movements[0]!, intentId: 'pi_other' }),
  ],
  [
    'chargedEqualsOwed',
    'a card is charged less than the fare',
    'costs 1000 and 900',
    (e) => void (e.payments = put(e.payments, ofRide('ride-1'), { capturedMinor: 900 })),
  ],
  [
    'chargedEqualsOwed',
    'cash is not settled',
    'costs 1000 and 0',
    (e) => void (e.facts = without(e.facts, withId('payment.cash_settled/ride-2/2'))),
  ],
  [
    'chargedEqualsOwed',
    'a ride that costs nothing is charged',
    'costs 0 and 500',
    (e) => void (e.payments = put(e.payments, ofRide('ride-4'), { capturedMinor: 500 })),
  ],
  [
    'paymentFailsOnlyWhenDeclined',
    'a ride fails for a payment that was given up',
    'ride ride-5 failed for its payment, which was not declined: card_declined',
    (e) => void (e.payments = put(e.payments, ofRide('ride-5'), { status: 'voided' })),
  ],
  [
    'noOpenAuthorizationAfterEnd',
    'the provider still holds',
    'pi_ride-4 of ride ride-4',
    (e) => e.openAuthorizations.push({ intentId: 'pi_ride-4', rideId: 'ride-4' }),
  ],
  [
    'noOpenAuthorizationAfterEnd',
    'the provider holds for nobody',
    'pi_9',
    (e) => e.openAuthorizations.push({ intentId: 'pi_9', rideId: null }),
  ],
  [
    'noOpenAuthorizationAfterEnd',
    'a payment is not settled',
    'still authorized',
    (e) => void (e.payments = put(e.payments, ofRide('ride-4'), { status: 'authorized' })),
  ],
  [
    'ledgerSumsToZero',
    'a transaction does not balance',
    'sums to 1',
    (e) => void (e.ledger[0] = { ...e.ledger[0]!, amountMinor: e.ledger[0]!.amountMinor + 1 }),
  ],
  [
    'ledgerSumsToZero',
    'it balances across currencies only',
    'in EUR sums to',
    (e) => void (e.ledger[0] = { ...e.ledger[0]!, currency: 'EUR' }),
  ],
  [
    'ledgerEqualsProvider',
    'the provider took what is not booked',
    '1200 in the ledger, 1205',
    (e) => void (e.movements = put(e.movements, ({ intentId }) => intentId === 'pi_tip', { netMinor: 205 })),
  ],
  [
    'ledgerEqualsProvider',
    'the provider never took what is booked',
    '500 in the ledger, 0',
    (e) => void (e.movements = without(e.movements, ofRide('ride-3'))),
  ],
  [
    'ledgerEqualsProvider',
    'the provider gave back what is not booked',
    '1200 in the ledger, 1000',
    (e) => e.movements.push({ ...e.movements[0]!, kind: 'refund', amountMinor: 200, netMinor: -200 }),
  ],
  [
    'ledgerEqualsProvider',
    'the provider has paid a driver, which is not booked',
    'ride none in USD: 0 in the ledger, -700',
    (e) =>
      e.movements.push({
        ...{ kind: 'transfer', intentId: null, rideId: null, currency: 'USD' },
        ...{ amountMinor: 700, netMinor: -700 },
      }),
  ],
  [
    'chargedEqualsOwed',
    'what was given back is still in the row',
    'ride ride-1 costs 900 and 1000 was charged',
    (e) =>
      e.facts.push({
        ...fact(e, 'payment.captured/ride-1/3'),
        ...{ id: 'payment.refunded/ride-1/5', type: 'payment.refunded', sequence: 5 },
        data: { amountMinor: 100 },
      }),
  ],
  [
    'chargedEqualsOwed',
    'what somebody has captured too much is not in the row',
    'ride ride-1 costs 1500 and 1000 was charged',
    (e) =>
      void (e.facts = put(e.facts, withId('payment.captured/ride-1/3'), {
        data: { amountMinor: 1_500, owedMinor: 1_000 },
      })),
  ],
  [
    'debtsAreBooked',
    'a debt is in no book',
    'ride ride-1: 70 is owed, 0 is booked',
    (e) => void (e.payments = put(e.payments, ofRide('ride-1'), { owedMinor: 70 })),
  ],
  [
    'sharesOfTheFare',
    'a tax stays with us',
    'ride ride-1: 0 of 100 tax, 200 of 180 commission',
    (e) => withTax(e, 'ride-1'),
  ],
  [
    'sharesOfTheFare',
    'so does one of a ride that was paid in cash',
    'ride ride-2: 0 of 100 tax, 200 of 180 commission',
    (e) => withTax(e, 'ride-2'),
  ],
];

/** Makes a tenth of the ride's fare a tax. */
const withTax = (e: Mutable<Evidence>, rideId: string): void => {
  const lines = [
    { kind: 'base' as const, amountMinor: 900 },
    { kind: 'tax' as const, name: 'a tax', amountMinor: 100 },
  ];
  e.rides = put(e.rides, ofRide(rideId), { fare: { currency: 'USD', totalMinor: 1_000, lines } });
};
