import { notificationId } from '../../consumers/notifications/handler';
import { messagesFor, type News } from '../../consumers/notifications/messages';
import { signature } from '../../consumers/notifications/webhook';
import { requested } from '../support/consumers';

const said = (fact: News) =>
  messagesFor(fact).map(({ role, driverId, channel, text }) => `${driverId ?? role} by ${channel}: ${text}`);

const money1250 = { amountMinor: 1_250, currency: 'USD' };
const driverId = 'driver-1';
const share = { driverId, commissionMinor: 250, taxMinor: 100 };
const cancelled = { reason: 'r', feeMinor: 500, currency: 'USD', driverId };

test.each<[News, string[]]>([
  [
    { type: 'ride.requested', data: requested('r', 'rider-1') } as News,
    ['rider by push: Your ride is requested for USD 12.50.'],
  ],
  [
    { type: 'ride.driver_assigned', data: { driverId, offerId: 'o' } },
    ['rider by push: Your driver is on the way.'],
  ],
  [
    { type: 'ride.driver_unassigned', data: { driverId, reason: 'r' } },
    [
      'rider by push: Your driver cannot come. We are looking for another one.',
      'driver-1 by push: You are no longer on this ride.',
    ],
  ],
  [
    { type: 'ride.scheduled', data: requested('r', 'rider-1') } as News,
    ['rider by push: Your ride for later is booked for USD 12.50.'],
  ],
  [
    { type: 'ride.driver_reservation_released', data: { driverId, reason: 'r' } },
    [
      'rider by push: Your driver is held up. We are looking for another one.',
      'driver-1 by push: Your next ride goes to somebody else.',
    ],
  ],
  [
    { type: 'ride.route_change_declined', data: { changeId: 'c', by: 'payment', reason: 'r' } },
    ['rider by push: Your card does not cover the new route, so it stays as it was.'],
  ],
  [{ type: 'ride.route_change_declined', data: { changeId: 'c', by: 'rider', reason: 'r' } }, []],
  [
    { type: 'ride.route_changed', data: requested('r', 'rider-1') } as unknown as News,
    ['rider by push: The route is changed. The fare is USD 12.50.'],
  ],
  [
    { type: 'ride.completed', data: { driverId, chargeMinor: 1_250, currency: 'USD' } },
    [
      'rider by push: You have arrived. The ride comes to USD 12.50.',
      'driver-1 by push: The ride is complete: USD 12.50.',
    ],
  ],
  [
    { type: 'ride.cancelled', data: { ...cancelled, by: 'rider' } },
    [
      'rider by push: Your ride is cancelled. The fee is USD 5.00.',
      'driver-1 by push: The rider has cancelled.',
    ],
  ],
  [
    { type: 'ride.cancelled', data: { ...cancelled, by: 'operator', feeMinor: 0, driverId: null } },
    ['rider by push: We had to cancel your ride. You pay nothing.'],
  ],
  [
    { type: 'ride.cancelled', data: { ...cancelled, by: 'no_show' } },
    ['rider by push: Your driver waited and has left. The fee is USD 5.00.'],
  ],
  [
    { type: 'payment.action_required', data: { intentId: 'pi', deadlineAt: '2026-01-05T12:10:00.000Z' } },
    ['rider by push: Your bank asks you to confirm your payment, until 12:10 UTC: open your ride to do so.'],
  ],
  [
    { type: 'payment.method_changed', data: { method: { type: 'cash' }, reason: 'r' } },
    ['rider by push: Your card could not be used: please pay in cash.'],
  ],
  [
    { type: 'payment.method_changed', data: { method: { type: 'card', token: 'pm_1' }, reason: 'r' } },
    ['rider by push: Your card could not be used: your next card is tried.'],
  ],
  [
    { type: 'payment.captured', data: { intentId: 'pi', ...money1250, ...share } },
    [
      'rider by email: Receipt: USD 12.50 were charged to your card.',
      'driver-1 by push: You earned USD 9.00.',
    ],
  ],
  [
    { type: 'payment.captured', data: { intentId: 'pi', ...money1250, ...share, owedMinor: 1_500 } },
    [
      'rider by email: Receipt: USD 12.50 were charged to your card. You owe another USD 2.50.',
      'driver-1 by push: You earned USD 11.50.',
    ],
  ],
  [
    { type: 'payment.charge_failed', data: { currency: 'USD', owedMinor: 1_250, ...share, reason: 'r' } },
    [
      'rider by email: USD 12.50 could not be charged to your card. You owe it for your ride.',
      'driver-1 by push: You earned USD 9.00.',
    ],
  ],
  [
    {
      type: 'payment.charge_failed',
      data: { currency: 'USD', owedMinor: 360, ...share, reason: 'amount_too_small' },
    },
    ['driver-1 by push: You earned USD 0.10.'],
  ],
  [
    { type: 'payment.collected', data: { intentId: 'pi', ...money1250 } },
    ['rider by email: Receipt: USD 12.50 that you owed were charged to your card.'],
  ],
  [
    { type: 'payment.waived', data: { ...money1250, reason: 'r' } },
    ['rider by email: You do not have to pay the USD 12.50 that you owed.'],
  ],
  [
    { type: 'payment.extra_charged', data: { intentId: 'pi', ...money1250, ...share, reason: 'r' } },
    [
      'rider by email: Receipt: another USD 12.50 were charged to your card.',
      'driver-1 by push: You earned another USD 9.00.',
    ],
  ],
  [
    { type: 'payment.cash_settled', data: { ...money1250, ...share } },
    [
      'rider by email: Receipt: USD 12.50, paid in cash.',
      'driver-1 by push: You owe USD 3.50 of it: commission and tax.',
    ],
  ],
  [
    { type: 'payment.tip_charged', data: { intentId: 'pi', tipMinor: 200, currency: 'USD', driverId } },
    [
      'rider by email: Receipt: a tip of USD 2.00 was charged to your card.',
      'driver-1 by push: You got a tip of USD 2.00.',
    ],
  ],
  [
    { type: 'payment.refunded', data: { refundId: 're', ...money1250, reason: 'r' } },
    ['rider by email: USD 12.50 go back to your card.'],
  ],
  [
    { type: 'payout.paid', data: { driverId, ...money1250, transferId: 'tr' } },
    ['driver-1 by push: USD 12.50 are on their way to you.'],
  ],
  [
    { type: 'payout.failed', data: { driverId, ...money1250, reason: 'r' } },
    ['driver-1 by push: Your payout of USD 12.50 failed: please check your account. The money stays yours.'],
  ],
  [
    { type: 'payout.returned', data: { driverId, ...money1250, reason: 'r' } },
    ['driver-1 by push: USD 12.50 of your payout came back: they are in your balance again.'],
  ],
  [
    { type: 'payout_account.changed', data: { driverId, destination: 'acct_1', previousDestination: null } },
    ['driver-1 by push: Your payouts go to the account that you gave.'],
  ],
  [
    {
      type: 'payout_account.changed',
      data: { driverId, destination: 'acct_2', previousDestination: 'acct_1' },
    },
    [
      'driver-1 by push: Your payouts go to another account from now on. If this was not you, tell us at once.',
    ],
  ],
  [{ type: 'ride.matching_started', data: {} }, []],
  [{ type: 'payment.voided', data: { intentId: null } }, []],
])('of $type people are told what concerns them', (fact, expected) => {
  expect(said(fact)).toEqual(expected);
});

test('the same fact and recipient have the same id, anybody else another', () => {
  const id = notificationId('ride.completed/r1/6', 'rider', 'u1');
  expect(notificationId('ride.completed/r1/6', 'rider', 'u1')).toBe(id);
  expect(id).toMatch(/^[0-9a-f-]{14}5[0-9a-f-]{21}$/);
  const others = [
    notificationId('ride.completed/r1/7', 'rider', 'u1'),
    notificationId('ride.completed/r1/6', 'driver', 'u1'),
    notificationId('ride.completed/r1/6', 'rider', 'u2'),
  ];
  expect(new Set([id, ...others]).size).toBe(4);
});

test('a signature is the one that anybody can compute', () => {
  // printf '1400000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret'
  expect(signature(['a secret'], 1_400_000_000_999, '{"a":1}')).toBe(
    't=1400000000,v1=6cae12927263a198573614d12c4db6a50552d27efba8e60483b48df95ca5ad13',
  );
});
