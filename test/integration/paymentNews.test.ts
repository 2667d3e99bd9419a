import type { PaymentMethod } from '../../domain/ride';
import { stepsOf } from '../../platform/outbox';
import { balancesOf } from '../../services/payments/books/ledger';
import { startRealPayments, type RealPayments } from '../support/realPayments';
import { eventually } from '../support/rideSaga';

/** The provider posts its events to the gateway's own door, however badly: nobody else tells the payments. */

jest.setTimeout(60_000);

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const asks: PaymentMethod = { type: 'card', token: 'pm_card_threeDSecure2Required' };
const isSentBack: PaymentMethod = { type: 'card', token: 'pm_card_refundFail' };

let { pool, psp, saga, untilStatus, untilTold, stop } = {} as RealPayments;

beforeAll(async () => {
  ({ pool, psp, saga, untilStatus, untilTold, stop } = await startRealPayments({ hasNews: true }));
});
afterEach(() => psp.clearFaults());
afterAll(() => stop?.());

/** The rider is sent to their bank, and says yes there. */
async function agreed(rideId: string): Promise<void> {
  const { intentId } = await untilStatus(rideId, 'action_required');
  await psp.post(`/sandbox/payment_intents/${intentId}/authenticate`, { outcome: 'succeeded' });
}

/** A ride of 15 dollars that was charged. */
async function captured(method?: PaymentMethod): Promise<string> {
  const rideId = await saga.open(method && { method });
  await untilTold(rideId);
  return charged(rideId);
}

async function charged(rideId: string): Promise<string> {
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await untilStatus(rideId, 'captured');
  return rideId;
}

/** Waits until everything that the provider is to post by now was taken. */
const delivered = (): Promise<true> =>
  eventually(async () => {
    const { data } = await psp.stripe.events.list({ limit: 100 });
    return data.every(({ pending_webhooks }) => pending_webhooks === 0) || undefined;
  }, 20_000);

/** The events of a ride as they came. */
async function heard(rideId: string): Promise<string[]> {
  const { rows } = await pool.query<{ type: string }>(
    'select type from provider_events where ride_id = $1 order by received_at',
    [rideId],
  );
  return rows.map(({ type }) => type);
}

const factTypes = async (rideId: string): Promise<string[]> =>
  (await stepsOf(pool, rideId)).map(({ factType }) => factType);

/** Nothing is held, and our books say of this ride what the provider's say; it is left alone then. */
async function ends(rideId: string, minor: number): Promise<void> {
  const ours = (await balancesOf(pool, rideId)).find(({ account }) => account === 'provider_clearing');
  expect([ours?.amountMinor, await psp.netOf(rideId)]).toEqual([minor, minor]);
  expect(await psp.openHolds(rideId)).toEqual([]);
  await saga.handle(rideId).terminate('the window is not waited for');
}

test('the rider’s yes, told twice, is one hold', async () => {
  const rideId = await saga.open({ method: asks });
  await psp.fault({ match: { event: '*.amount_capturable_updated' }, kind: 'webhook_doubled' });
  await agreed(rideId);
  expect(await untilTold(rideId)).toEqual(['paymentAuthorized']);
  await delivered();
  expect(await psp.openHolds(rideId)).toHaveLength(1);
  await charged(rideId);
  expect(await factTypes(rideId)).toEqual([
    ...['payment.opened', 'payment.action_required', 'payment.authorized', 'payment.captured'],
  ]);
  expect(await saga.heard(rideId)).toEqual(['paymentAuthorized']);
  await ends(rideId, 1_500);
});

test('the rider’s yes, never told, is found when their time is over', async () => {
  await psp.fault({ match: {}, kind: 'webhook_lost', times: 10 });
  const rideId = await saga.open({ method: asks }, { actionDeadlineMs: 3_000 });
  await agreed(rideId);
  expect(await untilTold(rideId)).toEqual(['paymentAuthorized']);
  expect(await heard(rideId)).toEqual([]);
  await charged(rideId);
  await ends(rideId, 1_500);
});

test.each([
  [
    'twice',
    { match: { event: 'refund.failed' }, kind: 'webhook_doubled' },
    ['charge.refunded', 'refund.failed'],
  ],
  [
    'before the refund itself',
    { match: { event: 'charge.refunded' }, kind: 'webhook_reordered', delayMs: DAY },
    ['refund.failed', 'charge.refunded'],
  ],
])('a refund that its bank sends back, told %s, is booked back once', async (_how, fault, inOrder) => {
  const rideId = await captured(isSentBack);
  await delivered();
  await psp.fault(fault);
  const order = { refundKey: 'ops:1', amountMinor: 400, reason: 'detour' };
  const { refundId } = await saga.refund(rideId, order);
  psp.pass(6 * MINUTE);
  expect(await psp.stripe.refunds.retrieve(refundId)).toMatchObject({ status: 'failed' });
  await untilStatus(rideId, 'captured');
  await delivered();
  // Answered in turn: when this is, the news was looked at.
  await saga.operator(rideId, 'adjustCharge', { adjustmentKey: 'same', toMinor: 1_500, reason: 'none' });
  expect((await heard(rideId)).slice(-2)).toEqual(inOrder);
  expect((await factTypes(rideId)).slice(3)).toEqual(['payment.refunded', 'payment.refund_failed']);
  await ends(rideId, 1_500);
});

test('a hold that has ended, told days later, is made anew then', async () => {
  const rideId = await saga.open();
  await untilTold(rideId);
  const { intentId } = await untilStatus(rideId, 'authorized');
  await psp.fault({ match: { event: '*.canceled' }, kind: 'webhook_delayed', delayMs: 2 * DAY });
  psp.pass(7 * DAY);
  expect(await psp.stripe.paymentIntents.retrieve(intentId!)).toMatchObject({ status: 'canceled' });
  psp.pass(2 * DAY);
  await eventually(async () => (await factTypes(rideId)).includes('payment.reauthorized') || undefined);
  expect(await psp.openHolds(rideId)).toMatchObject([{ amount: 1_500 }]);
  await charged(rideId);
  await ends(rideId, 1_500);
});

test('what a payment did itself, told days later, changes nothing', async () => {
  await psp.fault({ match: {}, kind: 'webhook_delayed', times: 3, delayMs: 5 * DAY });
  const rideId = await captured();
  await saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 400, reason: 'detour' });
  const before = await factTypes(rideId);
  expect(await heard(rideId)).toEqual([]);
  psp.pass(5 * DAY);
  await delivered();
  expect((await heard(rideId)).sort()).toEqual([
    ...['charge.refunded', 'payment_intent.amount_capturable_updated', 'payment_intent.succeeded'],
  ]);
  expect(await factTypes(rideId)).toEqual(before);
  await ends(rideId, 1_100);
});
