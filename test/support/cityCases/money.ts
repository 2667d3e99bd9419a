import { ofRide, put, withId, without, type Case } from './doctor';

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
    (e) =>
      void (e.movements = put(e.movements, ({ intentId }) => intentId === 'pi_tip', { amountMinor: 205 })),
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
    (e) => e.movements.push({ ...e.movements[0]!, kind: 'refund', amountMinor: 200 }),
  ],
];
