import type { Charged } from '../../domain/paymentCalls';
import { getPayment } from '../../services/payments/books/paymentStore';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';

jest.setTimeout(60_000);

let played: PlayedPayments;
let {
  pool,
  provider,
  saga,
  sleep,
  untilStatus,
  untilHeard,
  untilAsked,
  resultAfterWindow,
  factTypes,
  booked,
  rowAndFold,
} = {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({
    pool,
    provider,
    saga,
    sleep,
    untilStatus,
    untilHeard,
    untilAsked,
    resultAfterWindow,
    factTypes,
    booked,
    rowAndFold,
  } = played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

describe('by card', () => {
  test('is authorized, tells the ride, and is captured when the ride has ended', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500']);
    expect(await factTypes(rideId)).toEqual(['payment.opened', 'payment.authorized', 'payment.captured']);
    expect(await booked(rideId)).toEqual({
      provider_clearing: 1_500,
      'driver_payable:driver-1': -1_200,
      platform_revenue: -300,
    });
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('is captured in part where a fee is less than the fare; without a driver all is the platform’s', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 500, driverId: null });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 500']);
    expect(await booked(rideId)).toEqual({ provider_clearing: 500, platform_revenue: -500 });
  });

  test('is never captured beyond the hold: the rest is a charge of its own', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 9_999, driverId: null });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500', 'charge 8499']);
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 9_999, rider_receivable: 0 });
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('is released when nothing is owed', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
    expect(await booked(rideId)).toEqual({});
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('that is declined tells the ride why, and is over', async () => {
    provider.next('authorize', () => Promise.resolve({ charged: false, reason: 'insufficient_funds' }));
    const rideId = await saga.open();
    expect(await saga.result(rideId)).toBe('failed');
    expect(await saga.heard(rideId)).toEqual(['paymentDeclined: insufficient_funds']);
    expect(provider.asked(rideId)).toEqual(['authorize 1500']);
    expect(await getPayment(pool, rideId)).toMatchObject({ failureReason: 'insufficient_funds' });
  });

  test('survives a ride that is gone when it is told', async () => {
    const answer = provider.late<'authorize', Charged>('authorize');
    const rideId = await saga.open();
    await answer.asked;
    await saga.endRide(rideId);
    answer.release({ charged: true, intentId: 'pi_1' });
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await saga.result(rideId)).toBe('voided');
  });
});

describe('a ride that ends before its payment is authorized', () => {
  test('has its hold released, and is not told any more', async () => {
    const answer = provider.late<'authorize', Charged>('authorize');
    const rideId = await saga.open();
    await answer.asked;
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    answer.release({ charged: true, intentId: 'pi_1' });
    expect(await saga.result(rideId)).toBe('voided');
    expect(await saga.heard(rideId)).toEqual([]);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('has its fee captured as soon as there is a hold', async () => {
    const answer = provider.late<'authorize', Charged>('authorize');
    const rideId = await saga.open();
    await answer.asked;
    await saga.rideEnded(rideId, { amountMinor: 500, driverId: null });
    answer.release({ charged: true, intentId: 'pi_1' });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 500']);
  });
});

describe('in cash', () => {
  test('asks no provider: the driver owes the commission', async () => {
    const rideId = await saga.open({ method: { type: 'cash' } });
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    expect(await saga.result(rideId)).toBe('cash_settled');
    expect(provider.asked(rideId)).toEqual([]);
    expect(await booked(rideId)).toEqual({ 'driver_payable:driver-1': 300, platform_revenue: -300 });
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('is void where nothing is owed', async () => {
    const rideId = await saga.open({ method: { type: 'cash' } });
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual([]);
  });
});

describe('a provider that is down', () => {
  test('is asked again until it answers; the ride waits', async () => {
    const down = () => Promise.reject(new Error('connect ECONNREFUSED'));
    for (let i = 0; i < 12; i += 1) provider.next('authorize', down);
    const rideId = await saga.open();
    await untilAsked(rideId, 'authorize 1500');
    expect(await saga.heard(rideId)).toEqual([]);
    await sleep('5 minutes');
    await untilStatus(rideId, 'authorized');
    expect(provider.asked(rideId)).toHaveLength(13);
    for (let i = 0; i < 12; i += 1) provider.next('capture', down);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await untilAsked(rideId, 'capture 1500');
    await sleep('5 minutes');
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_500 });
  });
});
