import { refusalOf } from '../support/paymentSaga';
import { startRideSaga, type RideSaga } from '../support/rideSaga';

jest.setTimeout(60_000);

/** The standard fare of these tests is 1500, and 1850 is held for it: waiting may cost 350. */
let saga: RideSaga;
beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());
beforeEach(() => saga.provider.reset());

const adjust = (rideId: string, totalMinor: number) =>
  saga.update(rideId, 'adjustFare', { totalMinor, reason: 'detour' });

async function complete(rideId: string, driverId: string): Promise<number | null> {
  const { chargeMinor } = await saga.update(rideId, 'complete', { driverId });
  expect(await saga.result(rideId)).toBe('completed');
  await saga.untilPayment(rideId, 'captured');
  return chargeMinor;
}

test('a higher fare takes effect once the hold covers it, with room for waiting that is still to come', async () => {
  const { rideId, driverId } = await saga.arrived();
  expect(await adjust(rideId, 2_000)).toMatchObject({ status: 'arrived', fare: { totalMinor: 2_000 } });
  await saga.update(rideId, 'start', { driverId });
  await adjust(rideId, 2_600);
  expect(await complete(rideId, driverId)).toBe(2_600);
  expect(saga.provider.asked(rideId)).toEqual(['authorize 1850', 'raise 2350', 'raise 2600', 'capture 2600']);
});

test('a lower fare takes effect at once', async () => {
  const { rideId, driverId } = await saga.arrived();
  await saga.update(rideId, 'start', { driverId });
  await adjust(rideId, 900);
  expect(await complete(rideId, driverId)).toBe(900);
  expect(saga.provider.asked(rideId)).toEqual(['authorize 1850', 'capture 900']);
});

test('a fare that the card does not cover leaves the old one', async () => {
  const { rideId, driverId } = await saga.arrived();
  await saga.update(rideId, 'start', { driverId });
  saga.provider.next('raiseHold', () => Promise.resolve({ raised: false, reason: 'card_declined' }));
  expect(await refusalOf(adjust(rideId, 9_000))).toBe('fare_not_covered');
  expect(await complete(rideId, driverId)).toBe(1_500);
});
