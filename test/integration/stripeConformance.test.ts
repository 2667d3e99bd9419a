import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import { createPaymentActivities, type ProviderActivities } from '../../activities/payments';
import { foldDispute } from '../../domain/dispute';
import { withTransaction, type Pool } from '../../platform/postgres';
import { readDispute, submitEvidence } from '../../services/payments/provider/disputes';
import { putDispute, storeEvidence } from '../../services/payments/books/disputeStore';
import { createProviderClient } from '../../services/payments/provider/client';
import { returnedOf, transfer } from '../../services/payments/provider/transfers';
import { callsOfTheAdapter, endpoints, onlyWhereAskedFor } from '../support/adapterCalls';
import { eventually } from '../support/backbone';
import { openPayment, paymentOrder, paymentsDatabase } from '../support/payments';
import { startRecorder, type Recorder } from '../support/recordedCalls';
import { startPsp, type RunningPsp } from '../support/sandboxPsp';
import { startStripeMock, type StripeMock } from '../support/stripeMock';
import { readStripeShapes, type StripeShapes } from '../support/stripeShapes';
import { askEverything } from '../support/stripeTour';
import { vaultInMemory } from '../../tools/vaultInMemory';

/**
 * The sandbox is held against what Stripe says of its API, in the version that stripe-mock carries: what our adapter
 * asks, Stripe understands; what the sandbox answers, Stripe might. With STRIPE_TEST_KEY (sk_test_…) the adapter's tests
 * run against Stripe itself, too.
 */

let pool: Pool;
let psp: RunningPsp;
let recorder: Recorder;
let mock: StripeMock;
let shapes: StripeShapes;

beforeAll(async () => {
  [pool, psp, mock] = await Promise.all([paymentsDatabase(), startPsp(), startStripeMock()]);
  recorder = await startRecorder(psp.url);
  shapes = readStripeShapes();
});
afterAll(async () => {
  await recorder?.stop();
  await psp?.stop();
  await Promise.all([mock?.stop(), pool?.end()]);
});

interface Provider {
  readonly name: string;
  readonly client: () => Stripe;
}
const testKey = process.env['STRIPE_TEST_KEY'];
const providers: Provider[] = [
  {
    name: 'the sandbox',
    client: () => createProviderClient({ apiKey: 'sk_test_hailway', apiBase: recorder.url }),
  },
];
if (testKey)
  providers.push({
    name: 'Stripe',
    client: () => createProviderClient({ apiKey: testKey, apiBase: '', timeoutMs: 30_000 }),
  });

describe.each(providers)('our adapter and $name', ({ client }) => {
  let stripe: Stripe;
  let asked: ProviderActivities;
  beforeAll(() => {
    stripe = client();
    const returnUrl = 'https://hailway.example/back';
    asked = createPaymentActivities({ pool, vault: vaultInMemory(), provider: stripe, returnUrl }).provider;
  });
  const held = async (token = 'pm_card_visa') => {
    const order = await openPayment(pool, paymentOrder({ method: { type: 'card', token } }));
    const hold = await asked.authorize(order);
    if (!hold.charged) throw new Error(`not held: ${hold.reason}`);
    return { rideId: order.rideId, intentId: hold.intentId, amountMinor: order.amountMinor };
  };

  test('a hold, captured in part, given back in part, each once', async () => {
    const order = await held();
    expect(await stripe.paymentIntents.retrieve(order.intentId)).toMatchObject({
      status: 'requires_capture',
      amount_capturable: order.amountMinor,
      metadata: { rideId: order.rideId, step: 'authorize' },
    });
    for (const _again of [1, 2]) await asked.capture({ ...order, amountMinor: 900 });
    expect(await stripe.paymentIntents.retrieve(order.intentId)).toMatchObject({
      status: 'succeeded',
      amount_received: 900,
    });
    const refund = { ...order, refundKey: 'ops:1', part: 1, amountMinor: 400 };
    const given = await asked.refund(refund);
    expect(given).toMatchObject({ refunded: true });
    expect(await asked.refund(refund)).toEqual(given);
    expect(await asked.refund({ ...refund, refundKey: 'ops:2', amountMinor: 501 })).toMatchObject({
      refunded: false,
    });
  });

  test('a hold that is raised, or stays as it was', async () => {
    const order = await held();
    const raised = await asked.raiseHold({ ...order, changeId: 'change-1', toMinor: 2_000 });
    const { amount } = await stripe.paymentIntents.retrieve(order.intentId);
    // Whether an account may raise holds is Stripe's to say.
    expect(amount).toBe(raised.raised ? 2_000 : order.amountMinor);
  });

  test('a hold that is released, once, and is nothing to capture then', async () => {
    const order = await held();
    for (const _again of [1, 2]) expect(await asked.voidHold(order.rideId)).toBe(order.intentId);
    await expect(asked.capture(order)).rejects.toMatchObject({ type: 'hold_gone' });
  });

  test.each([
    ['pm_card_visa_chargeDeclined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_authenticationRequired', 'authentication_required'],
    ['pm_unheard_of', 'unknown_payment_method'],
  ])('%s: %s', async (token, reason) => {
    const order = await openPayment(pool, paymentOrder({ method: { type: 'card', token } }));
    expect(await asked.authorize(order)).toEqual({ charged: false, reason });
  });

  test('a rider who is there is asked by their bank; the hold is let go of while they do not answer', async () => {
    const token = 'pm_card_threeDSecure2Required';
    const opened = await openPayment(pool, paymentOrder({ method: { type: 'card', token } }));
    const order = { ...opened, riderIsThere: true };
    const asking = await asked.authorize(order);
    expect(asking).toMatchObject({ charged: false, reason: 'action_required' });
    const { next_action } = await stripe.paymentIntents.retrieve(
      (asking as { actionIntentId: string }).actionIntentId,
    );
    expect(next_action?.redirect_to_url?.url).toMatch(/^https?:/);
    await asked.voidOneHold({ rideId: order.rideId, holdVersion: 1 });
    expect(await asked.authorize(order)).toMatchObject({ charged: false, reason: 'canceled' });
  });

  test('a tip is charged at once', async () => {
    const { rideId } = await openPayment(pool);
    const tip = {
      rideId,
      amountMinor: 300,
      currency: 'USD',
      paymentMethod: 'pm_card_visa',
      attempt: 1,
    };
    const charged = await asked.chargeTip(tip);
    expect(await asked.chargeTip(tip)).toEqual(charged);
    if (!charged.charged) throw new Error('not charged');
    expect((await stripe.paymentIntents.retrieve(charged.intentId)).amount_received).toBe(300);
  });

  test('a disputed charge: its terms are read, evidence is heard once, and decides', async () => {
    const access = { pool, client: stripe };
    const { rideId, intentId, amountMinor } = await held('pm_card_createDispute');
    await asked.capture({ rideId, intentId, amountMinor });
    const open = () => stripe.disputes.list({ payment_intent: intentId });
    const [opened] = (await eventually(open, ({ data }) => data.length === 1)).data;
    const disputeId = opened!.id;
    const { stands, ...terms } = (await readDispute(access, disputeId))!;
    expect(stands).toBe('needs_response');
    expect(terms).toMatchObject({ rideId, intentId, amountMinor, currency: 'USD', reason: 'fraudulent' });
    const data = { disputeId, ...terms };
    const dispute = foldDispute(null, { type: 'dispute.opened', at: terms.evidenceDueAt, data });
    await withTransaction(pool, (tx) => putDispute(tx, dispute));
    const evidence = { rideId, disputeId, evidenceId: randomUUID() };
    await storeEvidence(pool, { ...evidence, text: 'winning_evidence' });
    for (const _again of [1, 2]) expect(await submitEvidence(access, evidence)).toEqual({ submitted: true });
    await eventually(
      () => readDispute(access, disputeId),
      (seen) => seen?.stands === 'won',
    );
  });
});

const payoutOf = (destination: string) => ({
  payoutId: randomUUID(),
  driverId: 'driver-1',
  period: '2026-W09',
  destination,
  amountMinor: 2_000,
  currency: 'USD',
});

// Stripe wants an account that it has let be opened: the sandbox pays any.
test('a payout is made once, and may come back', async () => {
  const access = { pool, client: providers[0]!.client() };
  await psp.post('/sandbox/funds', { amount: 100_000, currency: 'usd' });
  const payout = payoutOf('acct_driver1');
  const paid = await transfer(access, payout);
  expect(await transfer(access, payout)).toEqual(paid);
  if (!paid.transferred) throw new Error(paid.reason);
  await access.client.transfers.createReversal(paid.transferId, { amount: 700 });
  expect(await returnedOf(access, { transferId: paid.transferId, currency: 'USD' })).toBe(700);
  expect(await transfer(access, payoutOf('acct_none'))).toMatchObject({ transferred: false });
});

describe('Stripe’s own description', () => {
  beforeAll(() => askEverything(providers[0]!.client(), psp));

  test('every request is one that stripe-mock takes', async () => {
    const answers = await Promise.all(recorder.calls.map((call) => mock.answerTo(call)));
    const refused = answers.flatMap(({ status, answer }, index) =>
      status === 200 ? [] : [[recorder.calls[index], answer.error?.message]],
    );
    expect(refused).toEqual([]);
    // It does refuse, when there is reason to.
    const wrong = { method: 'POST', path: '/v1/payment_intents', body: 'amount=500&currency=usd&tip=5' };
    expect(await mock.answerTo(wrong)).toMatchObject({
      status: 400,
      answer: { error: { message: expect.stringContaining('additional properties') as string } },
    });
  });

  test('every answer has the shape that Stripe describes', () => {
    const wrongs = recorder.calls.flatMap((call) =>
      shapes.wrongsOf(call).map((wrong) => `${shapes.endpointOf(call)} ${call.status}: ${wrong}`),
    );
    expect([...new Set(wrongs)]).toEqual([]);
  });

  test('and every member that stripe-mock’s answer has', async () => {
    const missing = await Promise.all(
      recorder.calls
        .filter(({ status }) => status === 200)
        .map(async (call) => {
          const { answer } = await mock.answerTo(call);
          return Object.keys(answer)
            .filter((name) => !Object.hasOwn(call.answer as object, name))
            .map((name) => `${shapes.endpointOf(call)}: ${name}`);
        }),
    );
    expect(missing.flat().filter((member) => !onlyWhereAskedFor.has(member))).toEqual([]);
  });

  test('what events show are objects of their kind', async () => {
    const { data } = await psp.stripe.events.list({ limit: 100 });
    const kinds = new Set(data.map(({ type }) => type));
    expect(kinds).toContain('payment_intent.requires_action');
    const wrongs = data.flatMap(({ type, data: { object } }) =>
      shapes.wrongsIn(object.object, object).map((wrong) => `${type}: ${wrong}`),
    );
    expect([...new Set(wrongs)]).toEqual([]);
  });

  test('each call that our adapter knows was among them', () => {
    const seen = new Set(recorder.calls.map((call) => shapes.endpointOf(call)));
    const unseen = [...callsOfTheAdapter()].filter((call) => !seen.has(endpoints[call] ?? 'unknown'));
    expect(unseen).toEqual([]);
  });
});
