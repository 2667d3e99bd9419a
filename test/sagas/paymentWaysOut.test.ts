import { ApplicationFailure } from '@temporalio/common';
import { operatorUpdates } from '../../domain/names';
import type { Charged, TakenOtherwise } from '../../domain/paymentCalls';
import type { PaymentFact } from '../../domain/paymentFacts';
import type { RideOutcome } from '../../domain/settlement';
import { stepsOf } from '../../platform/outbox';
import { getPayment } from '../../services/payments/books/paymentStore';
import { cardOf } from '../support/card';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, untilStatus, factTypes, rowAndFold, booked } = {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, untilStatus, factTypes, rowAndFold, booked } = played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

const ended: RideOutcome = { amountMinor: 1_500, driverId: 'driver-1' };
const shares = { 'driver_payable:driver-1': -1_200, platform_revenue: -300 };

/** Authorized with 15 dollars; then the ride ends, and the call is refused for good. */
async function refused(
  call: 'capture' | 'voidHold',
  outcome: RideOutcome,
  code: string,
  taken?: Partial<TakenOtherwise>,
): Promise<string> {
  const rideId = await saga.open();
  await untilStatus(rideId, 'authorized');
  const details = taken && { intentId: `pi_${rideId}`, ...taken };
  provider.next(call, (): Promise<never> =>
    Promise.reject(ApplicationFailure.nonRetryable('refused', code, details)),
  );
  await saga.rideEnded(rideId, outcome);
  return rideId;
}

const untilParked = (rideId: string, what: string): Promise<true> =>
  eventually(
    async () => (await cardOf(saga.handle(rideId))).includes(`Parked: could not ${what}`) || undefined,
  );
const skip = (rideId: string): Promise<unknown> =>
  saga.handle(rideId).executeUpdate(operatorUpdates.skipCompensation);
const untilSettled = (rideId: string): Promise<unknown> =>
  eventually(async () => {
    const payment = await getPayment(pool, rideId);
    return (payment?.capturedMinor ?? 0) > 0 && payment?.owedMinor === 0 ? true : undefined;
  });
const waivers = async (rideId: string): Promise<object[]> =>
  (await stepsOf<PaymentFact>(pool, rideId)).flatMap(({ fact }) =>
    fact.type === 'payment.waived' ? [fact.data] : [],
  );

afterEach(async () => {
  const { rows } = await pool.query<{ id: string }>('select payment_id as id from payments');
  for (const { id } of rows) {
    const [row, folded] = await rowAndFold(id);
    expect(row).toEqual(folded);
  }
});

describe('a capture that an operator leaves', () => {
  test('releases the hold: what is owed is a debt, collected or written off by the next word', async () => {
    const rideId = await refused('capture', ended, 'capture_refused');
    await untilParked(rideId, 'capture the hold');
    expect(await cardOf(saga.handle(rideId))).toContain('all that is owed is a debt');
    await skip(rideId);
    await untilParked(rideId, 'collect what is owed');
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'owed', owedMinor: 1_500 });
    expect(provider.asked(rideId).slice(1)).toEqual(['capture 1500', 'void']);
    await saga.operator(rideId, 'retryNow');
    await untilStatus(rideId, 'captured');
    expect(provider.asked(rideId).at(-1)).toBe('charge 1500');
    expect(await booked(rideId)).toEqual({ provider_clearing: 1_500, rider_receivable: 0, ...shares });
  });

  test('and that has happened meanwhile is booked', async () => {
    const rideId = await refused('capture', ended, 'capture_refused');
    await untilParked(rideId, 'capture the hold');
    const taken = { intentId: `pi_${rideId}`, takenMinor: 1_500 };
    provider.next('voidHold', () =>
      Promise.reject(ApplicationFailure.nonRetryable('it is captured', 'hold_captured', taken)),
    );
    await skip(rideId);
    await untilStatus(rideId, 'captured');
    expect(await booked(rideId)).toEqual({ provider_clearing: 1_500, ...shares });
  });
});

describe('a hold that somebody else has captured', () => {
  test('with less: the rest is charged', async () => {
    const rideId = await refused('capture', ended, 'captured_otherwise', { takenMinor: 1_000 });
    await untilSettled(rideId);
    expect(provider.asked(rideId).at(-1)).toBe('charge 500');
    expect(await booked(rideId)).toEqual({ provider_clearing: 1_500, rider_receivable: 0, ...shares });
  });

  test('with more: the rest goes back, and the driver has no more than their share', async () => {
    const outcome = { ...ended, amountMinor: 1_000 };
    const rideId = await refused('capture', outcome, 'captured_otherwise', { takenMinor: 1_500 });
    await untilStatus(rideId, 'partially_refunded');
    expect(provider.asked(rideId).at(-1)).toBe('refund 500');
    expect(await booked(rideId)).toEqual({
      ...{ provider_clearing: 1_000, 'driver_payable:driver-1': -800, platform_revenue: -200 },
    });
  });

  test.each([
    ['refund_failed', 're_excess_again_1_1'],
    ['charge_disputed', 're_excess_1'],
  ])('whose way back was refused, %s: tried again it is %s', async (reason, refundId) => {
    provider.next('refund', () => Promise.resolve({ refunded: false, reason }));
    const outcome = { ...ended, amountMinor: 1_000 };
    const rideId = await refused('capture', outcome, 'captured_otherwise', { takenMinor: 1_500 });
    await untilParked(rideId, 'give back what was taken too much');
    await saga.operator(rideId, 'retryNow');
    await untilStatus(rideId, 'partially_refunded');
    const [refund] = (await stepsOf<PaymentFact>(pool, rideId)).flatMap(({ fact }) =>
      fact.type === 'payment.refunded' ? [fact.data] : [],
    );
    expect(refund).toMatchObject({ refundId, amountMinor: 500 });
  });

  test('that an operator has given back meanwhile does not go back again', async () => {
    provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
    const outcome = { ...ended, amountMinor: 1_000 };
    const rideId = await refused('capture', outcome, 'captured_otherwise', { takenMinor: 1_500 });
    await untilParked(rideId, 'give back what was taken too much');
    await saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 500, reason: 'taken too much' });
    await untilSettled(rideId);
    expect(await getPayment(pool, rideId)).toMatchObject({ refundedMinor: 500 });
    expect(await cardOf(saga.handle(rideId))).not.toContain('Parked');
  });

  test('although nothing is owed: all of it goes back', async () => {
    const nothing = { amountMinor: 0, driverId: null };
    const rideId = await refused('voidHold', nothing, 'hold_captured', { takenMinor: 1_500 });
    await untilStatus(rideId, 'refunded');
    expect(provider.asked(rideId).slice(1)).toEqual(['void', 'refund 1500']);
    expect(await booked(rideId)).toEqual({ provider_clearing: 0, platform_revenue: 0 });
  });
});

describe('less than the provider charges', () => {
  const declined: Charged = { charged: false, reason: 'amount_too_small' };
  const more = { ...ended, amountMinor: 1_530 };

  test('that is missing after the capture is waived, and nobody has to look', async () => {
    provider.next('collect', () => Promise.resolve(declined));
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, more);
    await untilSettled(rideId);
    expect(await waivers(rideId)).toEqual([{ amountMinor: 30, currency: 'USD', reason: 'amount_too_small' }]);
    expect(await cardOf(saga.handle(rideId))).not.toContain('Parked');
  });

  test('that is owed at all is waived, and its hold released', async () => {
    const rideId = await refused('capture', { ...ended, amountMinor: 30 }, 'amount_too_small');
    expect(await saga.result(rideId)).toBe('waived');
    expect(provider.asked(rideId).slice(1)).toEqual(['capture 30', 'void']);
    expect(await factTypes(rideId)).toEqual([
      ...['payment.opened', 'payment.authorized', 'payment.charge_failed', 'payment.waived'],
    ]);
    expect(await booked(rideId)).toMatchObject({ rider_receivable: 0 });
  });
});
