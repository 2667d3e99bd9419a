import Stripe from 'stripe';
import { startEventReceiver, webhookSecret, type EventReceiver } from '../support/eventReceiver';
import { eventually } from '../support/backbone';
import { holdWith, startPsp, temporaryFolder, type RunningPsp } from '../support/sandboxPsp';

const day = 24 * 60 * 60 * 1_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let receiver: EventReceiver;
let psp: RunningPsp;
let stripe: Stripe;

const start = async () => {
  psp = await startPsp({
    dataDir: folder.path,
    webhooks: { url: receiver.url, secret: webhookSecret, firstPauseMs: 20 },
  });
  ({ stripe } = psp);
};
beforeEach(async () => {
  [folder, receiver] = await Promise.all([temporaryFolder(), startEventReceiver()]);
  await start();
});
afterEach(async () => {
  await psp.stop();
  await receiver.stop();
  await folder.remove();
});

const listed = async (): Promise<string[]> => (await stripe.events.list()).data.map(({ type }) => type);

test('each step is told, signed, with the object as it was then and the request that did it', async () => {
  const { id } = await holdWith(stripe, {}, 'hold-key');
  await stripe.paymentIntents.capture(id);
  await stripe.refunds.create({ payment_intent: id, amount: 500 });
  const events = await receiver.untilTaken(3);
  const [held, captured, refunded] = [
    'payment_intent.amount_capturable_updated',
    'payment_intent.succeeded',
    'charge.refunded',
  ].map((type) => events.find((event) => event.type === type));
  expect(held).toMatchObject({
    object: 'event',
    api_version: Stripe.API_VERSION,
    livemode: false,
    request: { id: expect.stringMatching(/^req_/) as string, idempotency_key: 'hold-key' },
    data: {
      object: { id, object: 'payment_intent', status: 'requires_capture', metadata: { rideId: 'ride-1' } },
    },
  });
  expect(captured).toMatchObject({ data: { object: { id, status: 'succeeded', amount_received: 2500 } } });
  expect(refunded).toMatchObject({
    data: { object: { object: 'charge', payment_intent: id, amount_refunded: 500, refunded: false } },
  });
  expect((await listed()).reverse()).toEqual([
    'payment_intent.amount_capturable_updated',
    'payment_intent.succeeded',
    'charge.refunded',
  ]);
  await eventually(
    async () => (await stripe.events.retrieve(held!.id)).pending_webhooks,
    (pending) => pending === 0,
  );
  expect((await stripe.events.list({ type: 'charge.refunded' })).data).toHaveLength(1);
});

test('declined, cancelled: told, too; what was only created is not', async () => {
  await holdWith(stripe, { payment_method: 'pm_card_visa_chargeDeclined' }).catch(() => undefined);
  const { id } = await holdWith(stripe, { confirm: false, off_session: undefined });
  await stripe.paymentIntents.cancel(id);
  await receiver.untilTaken(2);
  expect(receiver.types().sort()).toEqual(['payment_intent.canceled', 'payment_intent.payment_failed']);
});

test('an endpoint that fails gets them again until it takes them, through a restart', async () => {
  receiver.answer(503);
  const { id } = await holdWith(stripe);
  await eventually(receiver.refused, (refused) => refused >= 3);
  await psp.stop();
  await start();
  await stripe.paymentIntents.cancel(id);
  receiver.answer(200);
  await receiver.untilTaken(2);
  expect(receiver.types().sort()).toEqual([
    'payment_intent.amount_capturable_updated',
    'payment_intent.canceled',
  ]);
  // Taken ones are not posted again by the next process.
  await eventually(
    async () => (await stripe.events.list()).data.map((event) => event.pending_webhooks),
    (pending) => pending.every((count) => count === 0),
  );
  await psp.stop();
  await start();
  await holdWith(stripe);
  await receiver.untilTaken(3);
  expect(receiver.events).toHaveLength(3);
});

test('many that fail at once are one failure: they come soon after it', async () => {
  const delayMs = day;
  await psp.fault({ kind: 'webhook_delayed', times: 20, delayMs });
  await Promise.all(Array.from({ length: 20 }, () => holdWith(stripe)));
  receiver.answer(503);
  psp.pass(delayMs);
  await eventually(receiver.refused, (refused) => refused >= 16);
  receiver.answer(200);
  await receiver.untilTaken(20);
});

test('doubled: the same event twice', async () => {
  await psp.fault({ kind: 'webhook_doubled', match: { event: 'payment_intent.*' } });
  await holdWith(stripe);
  const [first, second] = await receiver.untilTaken(2);
  expect(second).toEqual(first);
});

test('lost: it is listed and never comes', async () => {
  await psp.fault({ kind: 'webhook_lost', match: { event: 'payment_intent.succeeded' } });
  await holdWith(stripe, { capture_method: 'automatic' });
  const { id } = await holdWith(stripe);
  await receiver.untilTaken(1);
  expect(receiver.types()).toEqual(['payment_intent.amount_capturable_updated']);
  expect(await listed()).toEqual(['payment_intent.amount_capturable_updated', 'payment_intent.succeeded']);
  expect(receiver.events[0]).toMatchObject({ data: { object: { id } } });
});

test('delayed by days of the sandbox’s clock, also through a restart', async () => {
  await psp.fault({ kind: 'webhook_delayed', delayMs: 5 * day });
  const { id } = await holdWith(stripe);
  const now = psp.clock.now;
  await psp.stop();
  await start();
  psp.clock.now = now;
  await stripe.paymentIntents.capture(id);
  await receiver.untilTaken(1);
  expect(receiver.types()).toEqual(['payment_intent.succeeded']);
  psp.pass(5 * day);
  await receiver.untilTaken(2);
  expect(receiver.types()).toEqual(['payment_intent.succeeded', 'payment_intent.amount_capturable_updated']);
});

test('reordered: those that are held back leave after a younger one', async () => {
  await psp.fault({ kind: 'webhook_reordered', match: { event: '*updated' } });
  await psp.fault({ kind: 'webhook_reordered', match: { event: '*succeeded' } });
  const { id } = await holdWith(stripe);
  await stripe.paymentIntents.capture(id);
  await stripe.refunds.create({ payment_intent: id });
  await receiver.untilTaken(3);
  expect(receiver.types()[0]).toBe('charge.refunded');
  expect(receiver.types().sort()).toEqual([
    'charge.refunded',
    'payment_intent.amount_capturable_updated',
    'payment_intent.succeeded',
  ]);
});

test.each([
  ['seven days', 7 * day, { off_session: false }],
  ['less than five without its rider', 4.75 * day, {}],
])('a hold ends after %s, by time alone, and that is told', async (_, life, more) => {
  const { id } = await holdWith(stripe, more);
  await receiver.untilTaken(1);
  psp.pass(life - 1);
  expect((await stripe.paymentIntents.retrieve(id)).status).toBe('requires_capture');
  psp.pass(1);
  await receiver.untilTaken(2);
  expect(receiver.types()).toContain('payment_intent.canceled');
  expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
    status: 'canceled',
    cancellation_reason: 'automatic',
    amount_capturable: 0,
  });
  expect(await psp.openHolds()).toEqual([]);
});

test('the clock of a running sandbox is set forward, for good', async () => {
  const { id } = await holdWith(stripe);
  await psp.post('/sandbox/clock', { advanceMs: 7 * day });
  expect((await stripe.paymentIntents.retrieve(id)).status).toBe('canceled');
  await psp.stop();
  await start();
  const later = await holdWith(stripe);
  expect(later.created * 1_000).toBe(psp.clock.now.getTime() + 7 * day);
});

test('without an endpoint nothing is posted, then or later', async () => {
  await psp.stop();
  psp = await startPsp({ dataDir: folder.path });
  await holdWith(psp.stripe);
  expect((await psp.stripe.events.list()).data).toMatchObject([{ pending_webhooks: 0 }]);
  await psp.stop();
  await start();
  await holdWith(stripe);
  await receiver.untilTaken(1);
  expect(receiver.events).toHaveLength(1);
});
