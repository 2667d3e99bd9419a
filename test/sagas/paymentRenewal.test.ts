import { ApplicationFailure } from '@temporalio/common';
import { operatorUpdates, paymentSignals } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { getPayment } from '../../services/payments/books/paymentStore';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';
import { cardOf, isStuck } from '../support/card';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, now, sleep, untilStatus, untilAsked, resultAfterWindow, factTypes, rowAndFold } =
  {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, now, sleep, untilStatus, untilAsked, resultAfterWindow, factTypes, rowAndFold } =
    played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

const { holdValidMs } = standardPolicies;
const HOUR_MS = 60 * 60_000;
const holdAges = (rideId: string): Promise<void> => saga.handle(rideId).signal(paymentSignals.holdAges);
const ended = { amountMinor: 1_500, driverId: 'driver-1' };

/** Authorized so long ago. */
async function aged(ms: number): Promise<string> {
  const rideId = await saga.open();
  await untilStatus(rideId, 'authorized');
  await sleep(ms);
  return rideId;
}

const untilIntent = (rideId: string, intentId: string): Promise<true> =>
  eventually(async () => (await getPayment(pool, rideId))?.intentId === intentId || undefined);

test('a hold that gets old is made anew before the old one goes, and the new one is captured', async () => {
  const rideId = await aged(holdValidMs + 1_000);
  await holdAges(rideId);
  await untilIntent(rideId, `pi_${rideId}_2`);
  await untilAsked(rideId, 'void hold 1');
  await saga.rideEnded(rideId, ended);
  expect(await resultAfterWindow(rideId)).toBe('captured');
  expect(provider.asked(rideId)).toEqual([
    ...['authorize 1500', 'authorize 1500 as 2', 'void hold 1', 'capture 1500'],
  ]);
  expect(await factTypes(rideId)).toEqual([
    ...['payment.opened', 'payment.authorized', 'payment.reauthorized', 'payment.captured'],
  ]);
  const [row, folded] = await rowAndFold(rideId);
  expect(row).toEqual(folded);
});

test('one that is young is looked at, and left alone', async () => {
  const rideId = await aged(60_000);
  await holdAges(rideId);
  await eventually(() => Promise.resolve(provider.asked(rideId).length === 2 || undefined));
  await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
  expect(await saga.result(rideId)).toBe('voided');
  expect(provider.asked(rideId)).toEqual(['authorize 1500', 'authorize 1500', 'void']);
});

test('one that the provider has ended is made anew when the news come, however young', async () => {
  const rideId = await aged(60_000);
  provider.next('authorize', () => Promise.resolve({ charged: false, reason: 'canceled' }));
  await saga.news(rideId, 'payment_intent.canceled');
  await untilIntent(rideId, `pi_${rideId}_2`);
});

test('where the card does not give a new one, the old one stands and is tried again later', async () => {
  const rideId = await aged(holdValidMs + 1_000);
  provider.next('authorize', () => Promise.resolve({ charged: false, reason: 'insufficient_funds' }));
  await holdAges(rideId);
  await eventually(
    async () => (await cardOf(saga.handle(rideId))).includes('insufficient_funds') || undefined,
  );
  expect(await getPayment(pool, rideId)).toMatchObject({ status: 'authorized', intentId: `pi_${rideId}` });
  await holdAges(rideId);
  await untilIntent(rideId, `pi_${rideId}_3`);
  await untilAsked(rideId, 'void hold 1');
});

test('a ride that ends while the hold is made anew waits for it, and releases all of it', async () => {
  const rideId = await aged(holdValidMs + 1_000);
  const answer = provider.late<'authorize', { charged: true; intentId: string }>('authorize');
  await holdAges(rideId);
  await answer.asked;
  await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
  answer.release({ charged: true, intentId: 'pi_new' });
  expect(await saga.result(rideId)).toBe('voided');
  expect(provider.asked(rideId)).toContain('void');
  expect(await factTypes(rideId)).toEqual([
    ...['payment.opened', 'payment.authorized', 'payment.reauthorized', 'payment.voided'],
  ]);
});

test('a new hold that ends sooner is made anew a day before, although no ride says so', async () => {
  const rideId = await aged(holdValidMs + 1_000);
  // As Visa's do that are asked for without their rider: 4 days and 18 hours.
  const lifeMs = 114 * HOUR_MS;
  const heldUntil = new Date((await now()) + lifeMs).toISOString();
  const intentId = `pi_${rideId}_2`;
  provider.next('authorize', () => Promise.resolve({ charged: true, intentId, heldUntil }));
  await holdAges(rideId);
  await untilIntent(rideId, intentId);
  await sleep(lifeMs - 25 * HOUR_MS);
  expect(provider.asked(rideId)).not.toContain('authorize 1500 as 3');
  await sleep(2 * HOUR_MS);
  await untilIntent(rideId, `pi_${rideId}_3`);
  await untilAsked(rideId, 'void hold 2');
});

const untilParked = (rideId: string, what: string): Promise<true> =>
  eventually(
    async () => (await cardOf(saga.handle(rideId))).includes(`Parked: could not ${what}`) || undefined,
  );

describe('an old hold that somebody has captured at the provider', () => {
  const taken = (rideId: string) => (): Promise<never> =>
    Promise.reject(
      ApplicationFailure.nonRetryable('hold pi_1 is captured', 'hold_captured', {
        ...{ intentId: `pi_${rideId}`, takenMinor: 1_500 },
      }),
    );

  /** Before it could be released. */
  async function renewed(): Promise<string> {
    const rideId = await aged(holdValidMs + 1_000);
    provider.next('voidOneHold', taken(rideId));
    await holdAges(rideId);
    await untilIntent(rideId, `pi_${rideId}_2`);
    await untilAsked(rideId, 'void hold 1');
    return rideId;
  }

  test('waits for an operator when its ride is charged, who has it looked at again', async () => {
    const rideId = await renewed();
    provider.next('voidOneHold', taken(rideId));
    await saga.rideEnded(rideId, ended);
    await untilParked(rideId, 'release a hold that is not used');
    expect(await isStuck(saga.handle(rideId))).toBe(true);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'captured' });
    await saga.operator(rideId, 'retryNow');
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId).filter((what) => what === 'void hold 1')).toHaveLength(3);
  });

  test('is booked and given back where the ride costs nothing, and that is all', async () => {
    const rideId = await renewed();
    provider.next('voidHold', taken(rideId));
    provider.next('voidOneHold', taken(rideId));
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await resultAfterWindow(rideId)).toBe('refunded');
    const asked = ['void hold 1', 'void', 'refund 1500', 'void hold 1'];
    expect(provider.asked(rideId).slice(2)).toEqual(asked);
  });
});

describe('a ride whose workflow was terminated', () => {
  async function leftAlone(): Promise<string> {
    const rideId = await aged(holdValidMs + 1_000);
    await saga.ride(rideId).terminate();
    await saga.news(rideId, 'reconciliation');
    await untilParked(rideId, 'learn how the ride ended');
    expect(provider.asked(rideId)).toEqual(['authorize 1500']);
    return rideId;
  }

  test('leaves a hold that is not made anew: an operator has it released', async () => {
    const rideId = await leftAlone();
    await saga.handle(rideId).executeUpdate(operatorUpdates.skipCompensation);
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
  });

  test('may be carried by another one by now, and is charged when that has ended', async () => {
    const rideId = await leftAlone();
    await saga.rideEnded(rideId, ended);
    expect(await resultAfterWindow(rideId)).toBe('captured');
  });

  test('leaves a hold that goes where the payment is cancelled in Temporal, too', async () => {
    const rideId = await leftAlone();
    await saga.handle(rideId).cancel();
    await expect(saga.result(rideId)).rejects.toThrow();
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'voided' });
    expect(await isStuck(saga.handle(rideId))).toBe(false);
  });
});
