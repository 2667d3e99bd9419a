import { readFile } from 'node:fs/promises';
import type { Policies } from '../../domain/policies';
import { stepsOf } from '../../platform/outbox';
import { balancesOf } from '../../services/payments/books/ledger';
import { getPayment } from '../../services/payments/books/paymentStore';
import { cardOf } from '../support/card';
import { eventually } from '../support/rideSaga';
import { startRealPayments, type RealPayments } from '../support/realPayments';

jest.setTimeout(60_000);

let real: RealPayments;
let { saga, psp, pool, untilStatus, untilTold } = {} as RealPayments;

beforeAll(async () => {
  real = await startRealPayments();
  ({ saga, psp, pool, untilStatus, untilTold } = real);
});
afterEach(() => psp.clearFaults());
afterAll(() => real?.stop());

/** A window long enough for the test to tip and refund in, short enough to wait for. */
const shortWindow: Partial<Policies> = { tipWindowMs: 3_000, refundWindowMs: 3_000 };

/** Our books and the provider's say the same of this ride, and nothing is held for it any more. */
async function booksAgree(rideId: string, expectedMinor: number): Promise<void> {
  const lines = await balancesOf(pool, rideId);
  expect(lines.reduce((sum, line) => sum + line.amountMinor, 0)).toBe(0);
  const ours = lines.find((line) => line.account === 'provider_clearing')?.amountMinor ?? 0;
  const theirs = await psp.netOf(rideId);
  expect({ ours, theirs }).toEqual({ ours: expectedMinor, theirs: expectedMinor });
  expect(await psp.openHolds(rideId)).toEqual([]);
}

/** Waits until the call to the provider that the payment waits for has failed so often. */
const untilRefused = (rideId: string, times: number): Promise<true> =>
  eventually(async () => {
    const { raw } = await saga.handle(rideId).describe();
    return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 1) > times) || undefined;
  });

/** Waits until the provider has an answer to the confirm of this payment, whoever still wants to hear it. */
const untilConfirmIsOver = (rideId: string): Promise<true> =>
  eventually(async () => {
    const lines = (await readFile(psp.journalPath, 'utf8')).split('\n').slice(0, -1);
    return (
      lines
        .map((line) => (JSON.parse(line) as { answer?: { key: string; endpoint: string } }).answer)
        .some((answer) => answer?.key.includes(rideId) && answer.endpoint.endsWith('/confirm')) || undefined
    );
  });

const refundKey = 'ops:1';

test('from the hold to tip and refund; our books are the provider’s', async () => {
  const rideId = await saga.open({}, shortWindow);
  expect(await untilTold(rideId)).toEqual(['paymentAuthorized']);
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  expect(await saga.tip(rideId, 300)).toEqual({ tipMinor: 300, currency: 'USD' });
  const refund = await saga.refund(rideId, { refundKey, amountMinor: 400, reason: 'detour' });
  expect(refund).toMatchObject({ amountMinor: 400, refundedMinor: 400 });
  expect(await saga.result(rideId)).toBe('partially_refunded');
  await booksAgree(rideId, 1_400);
});

test('a fee takes part of the hold, nothing owed takes none of it', async () => {
  const [fee, nothing] = await Promise.all([saga.open({}, shortWindow), saga.open({}, shortWindow)]);
  await Promise.all([untilTold(fee), untilTold(nothing)]);
  await saga.rideEnded(fee, { amountMinor: 500, driverId: 'driver-1' });
  await saga.rideEnded(nothing, { amountMinor: 0, driverId: null });
  expect(await saga.result(nothing)).toBe('voided');
  expect(await saga.result(fee)).toBe('captured');
  await booksAgree(fee, 500);
  await booksAgree(nothing, 0);
});

test('a declined card holds nothing', async () => {
  const token = 'pm_card_visa_chargeDeclinedInsufficientFunds';
  const rideId = await saga.open({ method: { type: 'card', token } });
  expect(await saga.result(rideId)).toBe('failed');
  expect(await saga.heard(rideId)).toEqual(['paymentDeclined: insufficient_funds']);
  await booksAgree(rideId, 0);
});

test('a ride that has ended before its hold came about leaves none', async () => {
  await psp.fault({ match: { path: '/v1/payment_intents/*/confirm' }, kind: 'drop_after' });
  const rideId = await saga.open();
  await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
  expect(await saga.result(rideId)).toBe('voided');
  await booksAgree(rideId, 0);
});

test('a provider that is down for a while: rides wait, then go on', async () => {
  await psp.fault({ kind: 'unavailable', times: 1_000 });
  const rideIds = await Promise.all([1, 2, 3].map(() => saga.open({}, shortWindow)));
  await Promise.all(rideIds.map((rideId) => untilRefused(rideId, 3)));
  expect(await Promise.all(rideIds.map((rideId) => saga.heard(rideId)))).toEqual([[], [], []]);
  await psp.clearFaults();
  await Promise.all(rideIds.map((rideId) => untilTold(rideId)));
  await psp.fault({ kind: 'drop_before', times: 1_000 });
  for (const rideId of rideIds) await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await Promise.all(rideIds.map((rideId) => untilRefused(rideId, 2)));
  await psp.clearFaults();
  for (const rideId of rideIds) {
    await untilStatus(rideId, 'captured');
    await booksAgree(rideId, 1_500);
  }
});

test.each(['error500_after', 'drop_after'] as const)(
  '%s at every call: nobody is charged twice',
  async (kind) => {
    const lose = (path: string): Promise<void> => psp.fault({ match: { method: 'POST', path }, kind });
    await lose('/v1/payment_intents');
    await lose('/v1/payment_intents/*/confirm');
    await lose('/v1/payment_intents/*/capture');
    await lose('/v1/refunds');
    const rideId = await saga.open({}, { tipWindowMs: 30_000, refundWindowMs: 30_000 });
    await untilTold(rideId);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await untilStatus(rideId, 'captured');
    await lose('/v1/payment_intents/*/confirm');
    await saga.tip(rideId, 200);
    await saga.refund(rideId, { refundKey, amountMinor: 400, reason: 'detour' });
    await booksAgree(rideId, 1_300);
    await saga.handle(rideId).terminate('the window is not waited for');
  },
);

test('a payment that is cancelled when its ride is gone releases what it holds', async () => {
  const rideId = await saga.open();
  await untilTold(rideId);
  await saga.endRide(rideId);
  await saga.ride(rideId).result();
  await saga.handle(rideId).cancel();
  await expect(saga.result(rideId)).rejects.toThrow();
  expect(await getPayment(pool, rideId)).toMatchObject({ status: 'voided' });
  await booksAgree(rideId, 0);
});

const cancelled = async (rideId: string): Promise<void> => {
  await saga.handle(rideId).cancel();
  await expect(saga.result(rideId)).rejects.toThrow();
  expect((await saga.handle(rideId).describe()).status.name).toBe('CANCELLED');
};

test('cancelled while the provider is down: nothing is held, and the ride hears of it', async () => {
  await psp.fault({ kind: 'unavailable', times: 1_000 });
  const rideId = await saga.open();
  await untilRefused(rideId, 2);
  await cancelled(rideId);
  expect(await saga.heard(rideId)).toEqual(['paymentDeclined: payment_cancelled']);
  await psp.clearFaults();
  await booksAgree(rideId, 0);
});

test('cancelled while the provider is slow to confirm: the late confirm holds nothing', async () => {
  await psp.fault({ match: { path: '/v1/payment_intents/*/confirm' }, kind: 'delay', delayMs: 2_000 });
  const rideId = await saga.open();
  await eventually(async () => {
    const { data } = await psp.get<{ data: unknown[] }>('/sandbox/faults');
    return data.length === 0 || undefined;
  });
  await cancelled(rideId);
  expect(await getPayment(pool, rideId)).toMatchObject({ status: 'voided' });
  await untilConfirmIsOver(rideId);
  await booksAgree(rideId, 0);
});

test('a bank that takes its time is no doubt: who asks again meanwhile waits for its answer', async () => {
  await psp.fault({ match: { path: '/v1/payment_intents/*/confirm' }, kind: 'delay', delayMs: 1_500 });
  const rideId = await saga.open({}, { ...shortWindow, providerPatienceSeconds: 5 });
  await untilTold(rideId);
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await untilStatus(rideId, 'captured');
  const types = (await stepsOf(pool, rideId)).map(({ factType }) => factType);
  expect(types).toEqual(['payment.opened', 'payment.authorized', 'payment.captured']);
  await booksAgree(rideId, 1_500);
});

test('an operator reads what a payment waits for', async () => {
  const rideId = await saga.open();
  await untilTold(rideId);
  expect(await cardOf(saga.handle(rideId))).toContain('waits for: the ride to end');
  await saga.handle(rideId).terminate('looked at');
});
