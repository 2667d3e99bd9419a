import { balancesOf } from '../../services/payments/books/ledger';
import { getPayment } from '../../services/payments/books/paymentStore';
import { eventually } from '../support/rideSaga';
import { startRealPayments, type RealPayments } from '../support/realPayments';

jest.setTimeout(60_000);

let real: RealPayments;

beforeAll(async () => {
  real = await startRealPayments();
});
afterAll(() => real?.stop());

/** Holds 15 dollars, and has somebody capture some of it at the provider's own desk. */
async function takenByHand(amount: number): Promise<string> {
  const rideId = await real.saga.open();
  await real.untilTold(rideId);
  const { intentId } = (await getPayment(real.pool, rideId))!;
  await real.psp.stripe.paymentIntents.capture(intentId!, { amount_to_capture: amount });
  return rideId;
}

/** Waits until the payment costs its rider this, in our books and in the provider's. */
async function untilCosts(rideId: string, minor: number): Promise<void> {
  const ours = async (): Promise<number> =>
    (await balancesOf(real.pool, rideId)).find(({ account }) => account === 'provider_clearing')
      ?.amountMinor ?? 0;
  const theirs = (): Promise<number> => real.psp.netOf(rideId);
  await eventually(async () => ((await ours()) === minor && (await theirs()) === minor) || undefined, 20_000);
  await real.saga.handle(rideId).terminate('the window is not waited for');
}

test('less than is owed, by hand: the rest is charged', async () => {
  const rideId = await takenByHand(1_000);
  await real.saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await untilCosts(rideId, 1_500);
});

test('more than is owed, by hand: the rest goes back', async () => {
  const rideId = await takenByHand(1_500);
  await real.saga.rideEnded(rideId, { amountMinor: 600, driverId: 'driver-1' });
  await untilCosts(rideId, 600);
});

test('of a ride that owes nothing, by hand: all goes back', async () => {
  const rideId = await takenByHand(700);
  await real.saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
  await real.untilStatus(rideId, 'refunded');
  await untilCosts(rideId, 0);
});

test('less than the provider takes is waived, and nothing is held any more', async () => {
  const rideId = await real.saga.open();
  await real.untilTold(rideId);
  await real.saga.rideEnded(rideId, { amountMinor: 30, driverId: 'driver-1' });
  expect(await real.saga.result(rideId)).toBe('waived');
  expect(await real.psp.openHolds(rideId)).toEqual([]);
});
