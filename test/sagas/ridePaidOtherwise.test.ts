import { rideRequestBody } from '../../contracts/api/rides';
import type { Charged } from '../../domain/paymentCalls';
import { standardPolicies } from '../../domain/policies';
import type { PaymentMethod } from '../../domain/ride';
import { eventually, startRideSaga, type RideSaga } from '../support/rideSaga';

jest.setTimeout(60_000);

let saga: RideSaga;
beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());
beforeEach(() => {
  saga.provider.reset();
  saga.nearby.length = 0;
});

const cash: PaymentMethod = { type: 'cash' };
const card = (token: string): PaymentMethod => ({ type: 'card', token });
const answers = (answer: Charged): void => saga.provider.next('authorize', () => Promise.resolve(answer));
const declined: Charged = { charged: false, reason: 'insufficient_funds' };

test('a ride that falls back to cash is a cash ride from then on: its driver sees it, and a cancel costs nothing', async () => {
  answers(declined);
  await saga.drivers('driver-cash');
  const rideId = await saga.request(
    { fallbackPaymentMethods: [cash] },
    { freeCancellationMs: 1, minApproachMeters: 0 },
  );
  await saga.accept('driver-cash');
  const ride = await saga.until(rideId, ({ status }) => status === 'assigned');
  expect(ride.paymentMethod).toEqual(cash);
  const cancel = { by: 'rider', reason: 'changed_mind', approachMeters: 5_000 };
  expect(await saga.update(rideId, 'cancel', cancel)).toMatchObject({ status: 'cancelled', chargeMinor: 0 });
  await saga.untilPayment(rideId, 'voided');
});

test('a ride whose rider has to answer their bank waits in `requested`, and can be cancelled meanwhile', async () => {
  answers({ charged: false, reason: 'action_required', actionIntentId: 'pi_action' });
  const rideId = await saga.request();
  await saga.untilPayment(rideId, 'action_required');
  expect((await saga.ride(rideId)).status).toBe('requested');
  await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
  await saga.untilPayment(rideId, 'voided');
  expect(await saga.result(rideId)).toBe('cancelled');
});

test('a ride with several cards keeps to the one that holds', async () => {
  answers(declined);
  const rideId = await saga.request({ fallbackPaymentMethods: [card('pm_second'), cash] });
  const { paymentMethod } = await saga.until(rideId, ({ status }) => status === 'matching');
  expect(paymentMethod).toEqual(card('pm_second'));
  await saga.update(rideId, 'cancel', { by: 'operator', reason: 'test' });
  await saga.untilPayment(rideId, 'voided');
});

test('a ride that lasts longer than its hold has it made anew, on a look that it takes anyway', async () => {
  const { rideId, driverId } = await saga.arrived();
  await saga.update(rideId, 'start', { driverId });
  await saga.env.sleep(standardPolicies.holdValidMs - 60 * 60_000);
  expect(saga.provider.asked(rideId)).toEqual(['authorize 1850']);
  await saga.env.sleep(2 * 60 * 60_000);
  await eventually(() =>
    Promise.resolve(saga.provider.asked(rideId).includes('authorize 1850 as 2') || undefined),
  );
  await saga.update(rideId, 'complete', { driverId });
  await saga.untilPayment(rideId, 'captured');
  expect(saga.provider.asked(rideId)).toEqual([
    ...['authorize 1850', 'authorize 1850 as 2', 'void hold 1', 'capture 1500'],
  ]);
});

describe('what a rider may ask for', () => {
  const asks = (...methods: PaymentMethod[]): boolean => {
    const [paymentMethod, ...fallbackPaymentMethods] = methods;
    const body = { quoteToken: 'token', paymentMethod, fallbackPaymentMethods };
    return rideRequestBody.safeParse(body).success;
  };

  test('is a method and up to two more, cash last', () => {
    expect(asks(card('pm_a'), card('pm_b'))).toBe(true);
    expect(asks(card('pm_a'), card('pm_b'), cash)).toBe(true);
  });

  test('is not more, nothing after cash, and no empty list', () => {
    expect(asks(card('pm_a'), card('pm_b'), card('pm_c'), cash)).toBe(false);
    expect(asks(cash, card('pm_a'))).toBe(false);
    expect(asks(card('pm_a'), cash, card('pm_b'))).toBe(false);
    expect(asks(card('pm_a'))).toBe(false);
  });
});
