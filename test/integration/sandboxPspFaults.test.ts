import type Stripe from 'stripe';
import { Faults, faultSchema } from '../../services/sandbox-psp/faults';
import { refusal, startPsp, stripeFor, type RunningPsp } from '../support/sandboxPsp';

let psp: RunningPsp;
let heldId: string;

beforeEach(async () => {
  psp = await startPsp();
  const held = await psp.stripe.paymentIntents.create({
    amount: 2500,
    currency: 'usd',
    capture_method: 'manual',
    confirm: true,
    payment_method: 'pm_card_visa',
  });
  heldId = held.id;
});
afterEach(() => psp.stop());

const onCapture = { method: 'POST', path: '/v1/payment_intents/*/capture' };
const capture = (stripe: Stripe = psp.stripe, idempotencyKey = 'capture') =>
  stripe.paymentIntents.capture(heldId, {}, { idempotencyKey });
const status = async () => (await psp.stripe.paymentIntents.retrieve(heldId)).status;
const capturedMinor = async () => (await psp.ledger()).currencies['USD']?.capturedMinor;

test.each([
  ['error500_before', 500],
  ['unavailable', 503],
] as const)('%s: %d without effect; the repeat runs', async (kind, code) => {
  await psp.fault({ match: onCapture, kind });
  expect(await refusal(capture())).toMatchObject({ type: 'StripeAPIError', statusCode: code });
  expect(await status()).toBe('requires_capture');
  expect(await capture()).toMatchObject({ status: 'succeeded' });
});

test('error500_after: the effect stands, and the repeat gets the stored 500', async () => {
  await psp.fault({ match: onCapture, kind: 'error500_after' });
  const retrying = stripeFor(psp.url, { retries: 3 });
  for (const replayed of [undefined, 'true']) {
    const error = await refusal(capture(retrying));
    expect(error).toMatchObject({ type: 'StripeAPIError', statusCode: 500 });
    expect(error.headers?.['idempotent-replayed']).toBe(replayed);
  }
  expect(await status()).toBe('succeeded');
  expect(await capturedMinor()).toBe(2500);

  psp = await psp.restart();
  expect(await refusal(capture())).toMatchObject({ statusCode: 500 });
  expect(await status()).toBe('succeeded');
});

// The client repeats a request on a cut connection once by itself: two faults for one failed call.
test('drop_before: the connection is cut without effect; the repeat runs', async () => {
  await psp.fault({ match: onCapture, kind: 'drop_before', times: 2 });
  expect(await refusal(capture())).toMatchObject({ type: 'StripeConnectionError' });
  expect(await status()).toBe('requires_capture');
  expect(await capture()).toMatchObject({ status: 'succeeded' });
});

test('drop_after: the connection is cut when the effect stands; the repeat gets the true answer', async () => {
  await psp.fault({ match: onCapture, kind: 'drop_after', times: 2 });
  expect(await refusal(capture())).toMatchObject({ type: 'StripeConnectionError' });
  expect(await status()).toBe('succeeded');
  const repeat = await capture();
  expect(repeat.status).toBe('succeeded');
  expect(repeat.lastResponse.headers['idempotent-replayed']).toBe('true');
  expect(await capturedMinor()).toBe(2500);
});

test('delay: the client gives up, the effect comes all the same', async () => {
  await psp.fault({ match: onCapture, kind: 'delay', delayMs: 400 });
  const hasty = stripeFor(psp.url, { timeoutMs: 100 });
  expect(await refusal(capture(hasty))).toMatchObject({ type: 'StripeConnectionError' });
  expect(await status()).toBe('requires_capture');
  expect(await capture(stripeFor(psp.url, { retries: 4 }))).toMatchObject({ status: 'succeeded' });
  expect(await capturedMinor()).toBe(2500);
});

test.each([
  ['rate_limited', 'rate_limit'],
  ['lock_timeout', 'lock_timeout'],
] as const)('%s: 429 says when to ask again; the repeat runs', async (kind, code) => {
  await psp.fault({ match: onCapture, kind, retryAfterSeconds: 7 });
  const error = await refusal(capture());
  expect(error).toMatchObject({ type: 'StripeRateLimitError', statusCode: 429, code });
  expect(error.headers?.['retry-after']).toBe('7');
  expect(await status()).toBe('requires_capture');
  expect(await capture()).toMatchObject({ status: 'succeeded' });
});

test('hang_after: the effect stands while the client gives up; the repeat waits for the answer, and gets it', async () => {
  await psp.fault({ match: onCapture, kind: 'hang_after', delayMs: 1_200 });
  const hasty = stripeFor(psp.url, { timeoutMs: 600 });
  expect(await refusal(capture(hasty))).toMatchObject({ type: 'StripeConnectionError' });
  await psp.faultsMet();
  expect(await status()).toBe('succeeded');
  expect(await capture(stripeFor(psp.url, { retries: 4 }))).toMatchObject({ status: 'succeeded' });
  expect(await capturedMinor()).toBe(2500);
});

test('declined: the issuer’s answer to the next confirmation, with any code', async () => {
  await psp.fault({
    kind: 'declined',
    declineCode: 'do_not_honor',
    match: { path: '/v1/payment_intents/*/confirm' },
  });
  const { id } = await psp.stripe.paymentIntents.create({
    amount: 900,
    currency: 'usd',
    payment_method: 'pm_card_visa',
  });
  expect(await refusal(psp.stripe.paymentIntents.confirm(id))).toMatchObject({
    statusCode: 402,
    code: 'card_declined',
    decline_code: 'do_not_honor',
  });
  expect((await psp.stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' })).status).toBe(
    'succeeded',
  );
});

test('a delay does not hold up the end', async () => {
  const faults = new Faults();
  faults.add(faultSchema.parse({ kind: 'delay', delayMs: 60_000 }));
  const delay = faults.delay(faults.take('POST', '/v1/refunds'), 'delay');
  faults.close();
  await expect(delay).rejects.toThrow(/aborted/);

  await psp.fault({ match: onCapture, kind: 'delay', delayMs: 60_000 });
  const waiting = refusal(capture());
  await psp.faultsMet();
  const began = Date.now();
  psp = await psp.restart();
  expect(Date.now() - began).toBeLessThan(2_000);
  expect(await waiting).toMatchObject({ type: 'StripeConnectionError' });
  expect(await status()).toBe('requires_capture');
});

test('faults meet only what they match, as often as they say, until they are cleared', async () => {
  await psp.fault({ match: { path: '/v1/refunds' }, kind: 'unavailable', times: 3 });
  await psp.fault({ match: { method: 'GET' }, kind: 'unavailable' });
  await capture();
  expect(await refusal(psp.stripe.paymentIntents.retrieve(heldId))).toMatchObject({ statusCode: 503 });
  expect(await status()).toBe('succeeded');
  const refund = () => psp.stripe.refunds.create({ payment_intent: heldId });
  expect(await refusal(refund())).toMatchObject({ statusCode: 503 });
  expect(await psp.get('/sandbox/faults')).toMatchObject({ data: [{ kind: 'unavailable', left: 2 }] });
  await psp.clearFaults();
  expect(await refund()).toMatchObject({ amount: 2500 });
});

test('a fault that nobody knows is refused', async () => {
  await expect(psp.fault({ kind: 'earthquake' })).rejects.toThrow(/400.*kind/);
  await expect(psp.fault({ kind: 'delay', times: 0 })).rejects.toThrow(/400.*times/);
});
