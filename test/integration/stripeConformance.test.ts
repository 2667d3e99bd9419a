import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Stripe from 'stripe';
import { createPaymentActivities, type ProviderActivities } from '../../activities/payments';
import type { Pool } from '../../platform/postgres';
import { createProviderClient } from '../../services/payments/provider';
import { paymentOrder, paymentsDatabase } from '../support/payments';
import { startRecorder, type Recorder } from '../support/recordedCalls';
import { startPsp, temporaryFolder, type RunningPsp } from '../support/sandboxPsp';
import { startStripeMock, type StripeMock } from '../support/stripeMock';
import { readStripeShapes, type StripeShapes } from '../support/stripeShapes';
import { askEverything } from '../support/stripeTour';

/**
 * The sandbox is held against what Stripe says of its API, in the version that stripe-mock carries: what our adapter
 * asks, Stripe understands; what the sandbox answers, Stripe might. With STRIPE_TEST_KEY (sk_test_…) the adapter's tests
 * run against Stripe itself, too.
 */

let pool: Pool;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let psp: RunningPsp;
let recorder: Recorder;
let mock: StripeMock;
let shapes: StripeShapes;

beforeAll(async () => {
  [pool, folder, mock] = await Promise.all([paymentsDatabase(), temporaryFolder(), startStripeMock()]);
  psp = await startPsp(folder.path);
  recorder = await startRecorder(psp.url);
  shapes = readStripeShapes();
});
afterAll(async () => {
  await recorder?.stop();
  await psp?.stop();
  await Promise.all([mock?.stop(), pool?.end(), folder?.remove()]);
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
    asked = createPaymentActivities({ pool, provider: stripe, returnUrl }).provider;
  });
  const held = async (token = 'pm_card_visa') => {
    const order = paymentOrder({ rideId: randomUUID(), method: { type: 'card', token } });
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
    const refund = { ...order, refundKey: 'ops:1', amountMinor: 400 };
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
    const order = paymentOrder({ method: { type: 'card', token } });
    expect(await asked.authorize(order)).toEqual({ charged: false, reason });
  });

  test('a rider who is there is asked by their bank; the hold is let go of while they do not answer', async () => {
    const token = 'pm_card_threeDSecure2Required';
    const order = { ...paymentOrder({ method: { type: 'card', token } }), riderIsThere: true };
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
    const tip = {
      rideId: randomUUID(),
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

/** Stripe's fixtures have them; Stripe answers them to who expands them, or uses another side of Connect. */
const onlyWhereAskedFor = new Set([
  'GET /v1/payment_intents/search: total_count',
  'GET /v1/charges/{charge}: refunds',
  'GET /v1/balance: connect_reserved',
]);

/** `client.refunds.create(` in the adapter's sources, as `refunds.create`. */
function callsOfTheAdapter(): Set<string> {
  const dir = join(__dirname, '../../services/payments');
  const sources = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(dir, name), 'utf8'));
  const calls = sources.flatMap((source) => [...source.matchAll(/\bclient\s*\.(\w+)\s*\.(\w+)\(/g)]);
  return new Set(calls.map(([, resource, method]) => `${resource}.${method}`));
}

const endpoints: Readonly<Record<string, string>> = {
  'paymentIntents.create': 'POST /v1/payment_intents',
  'paymentIntents.retrieve': 'GET /v1/payment_intents/{intent}',
  'paymentIntents.confirm': 'POST /v1/payment_intents/{intent}/confirm',
  'paymentIntents.capture': 'POST /v1/payment_intents/{intent}/capture',
  'paymentIntents.cancel': 'POST /v1/payment_intents/{intent}/cancel',
  'paymentIntents.incrementAuthorization': 'POST /v1/payment_intents/{intent}/increment_authorization',
  'paymentIntents.list': 'GET /v1/payment_intents',
  'paymentIntents.search': 'GET /v1/payment_intents/search',
  'charges.retrieve': 'GET /v1/charges/{charge}',
  'refunds.create': 'POST /v1/refunds',
  'refunds.retrieve': 'GET /v1/refunds/{refund}',
  'refunds.list': 'GET /v1/refunds',
  'disputes.retrieve': 'GET /v1/disputes/{dispute}',
  'disputes.list': 'GET /v1/disputes',
  'disputes.update': 'POST /v1/disputes/{dispute}',
  'disputes.close': 'POST /v1/disputes/{dispute}/close',
  'transfers.create': 'POST /v1/transfers',
  'transfers.retrieve': 'GET /v1/transfers/{transfer}',
  'transfers.list': 'GET /v1/transfers',
  'transfers.createReversal': 'POST /v1/transfers/{id}/reversals',
  'balance.retrieve': 'GET /v1/balance',
  'events.list': 'GET /v1/events',
  'events.retrieve': 'GET /v1/events/{id}',
};
