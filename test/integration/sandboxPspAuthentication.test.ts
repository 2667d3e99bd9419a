import type Stripe from 'stripe';
import { refusal, startPsp, type RunningPsp } from '../support/sandboxPsp';

let psp: RunningPsp;
let stripe: Stripe;

beforeAll(async () => {
  psp = await startPsp();
  ({ stripe } = psp);
});
afterAll(() => psp.stop());

const returnUrl = 'https://hailway.example/rides/ride-1?paid=perhaps';
const intentWith = (
  payment_method: string,
  more: Partial<Stripe.PaymentIntentCreateParams> = {},
): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create({
    amount: 2500,
    currency: 'usd',
    capture_method: 'manual',
    payment_method,
    allowed_payment_method_types: ['card'],
    metadata: { rideId: 'ride-1' },
    ...more,
  });
const confirm = async (
  payment_method: string,
  params: Stripe.PaymentIntentConfirmParams = { return_url: returnUrl },
): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.confirm((await intentWith(payment_method)).id, params);
const answer = (id: string, outcome: 'succeeded' | 'failed') =>
  psp.post<Stripe.PaymentIntent>(`/sandbox/payment_intents/${id}/authenticate`, { outcome });

test.each(['pm_card_threeDSecure2Required', 'pm_card_authenticationRequired'])(
  '%s: the rider is sent to a page, holds nothing there, and says yes',
  async (card) => {
    const asked = await confirm(card);
    expect(asked).toMatchObject({ status: 'requires_action', amount_capturable: 0, latest_charge: null });
    expect(asked.next_action).toMatchObject({
      type: 'redirect_to_url',
      redirect_to_url: { return_url: returnUrl, url: expect.stringContaining(psp.url) as string },
    });
    const held = await answer(asked.id, 'succeeded');
    expect(held).toMatchObject({ status: 'requires_capture', amount_capturable: 2500, next_action: null });
    await expect(answer(asked.id, 'succeeded')).rejects.toThrow(/400.*could not be authenticated/);
    expect((await stripe.paymentIntents.capture(asked.id)).status).toBe('succeeded');
  },
);

test('the page is where riders reach it, which may not be where it is asked', async () => {
  const published = await startPsp({ publicUrl: 'https://pay.example/' });
  try {
    const { id, next_action } = await published.stripe.paymentIntents.create({
      ...{ amount: 2500, currency: 'usd', payment_method: 'pm_card_threeDSecure2Required' },
      ...{ allowed_payment_method_types: ['card'], confirm: true, return_url: returnUrl },
    });
    expect(next_action?.redirect_to_url?.url).toMatch(
      new RegExp(`^https://pay.example/sandbox/authenticate/${id}[?]payment_intent_client_secret=`),
    );
  } finally {
    await published.stop();
  }
});

test('no: the card is off, and another can be confirmed', async () => {
  const { id } = await confirm('pm_card_threeDSecure2Required');
  expect(await answer(id, 'failed')).toMatchObject({
    status: 'requires_payment_method',
    payment_method: null,
    last_payment_error: {
      code: 'payment_intent_authentication_failure',
      payment_method: { id: 'pm_card_threeDSecure2Required', object: 'payment_method' },
    },
  });
  expect(await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' })).toMatchObject({
    status: 'requires_capture',
    payment_method: 'pm_card_visa',
    last_payment_error: null,
  });
});

test('yes, and the bank declines all the same', async () => {
  const { id } = await confirm('pm_card_authenticationRequiredChargeDeclinedInsufficientFunds');
  expect(await answer(id, 'succeeded')).toMatchObject({
    status: 'requires_payment_method',
    last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds' },
  });
});

test('while nobody answers: cancelled, or another card instead', async () => {
  const left = await confirm('pm_card_threeDSecure2Required');
  expect(await stripe.paymentIntents.cancel(left.id)).toMatchObject({
    status: 'canceled',
    next_action: null,
  });
  const changed = await confirm('pm_card_threeDSecure2Required');
  expect(
    (await stripe.paymentIntents.confirm(changed.id, { payment_method: 'pm_card_mastercard' })).status,
  ).toBe('requires_capture');
});

test.each([{ off_session: true }, { error_on_requires_action: true }])(
  'where the rider is not there it is a decline: %o',
  async (params) => {
    const declined = await refusal(confirm('pm_card_threeDSecure2Required', params));
    expect(declined).toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'authentication_required',
      payment_intent: { status: 'requires_payment_method', next_action: null },
    });
  },
);

test('a card that was set up for it pays while its rider is away, and asks when they are there', async () => {
  const card = 'pm_card_authenticationRequiredSetupForOffSession';
  expect((await confirm(card, { off_session: true })).status).toBe('requires_capture');
  expect((await confirm(card)).status).toBe('requires_action');
});

test('without a place to come back to, Stripe’s SDK would lead the rider', async () => {
  expect((await confirm('pm_card_threeDSecure2Required', {})).next_action).toMatchObject({
    type: 'use_stripe_sdk',
  });
  const redirecting = await intentWith('pm_card_visa', {
    allowed_payment_method_types: undefined,
    automatic_payment_methods: { enabled: true },
  });
  expect(await refusal(stripe.paymentIntents.confirm(redirecting.id))).toMatchObject({
    statusCode: 400,
    message: expect.stringContaining('`return_url` must be specified') as string,
  });
});

describe('the page', () => {
  const pageOf = (intent: Stripe.PaymentIntent) => intent.next_action?.redirect_to_url?.url ?? '';
  const submit = (url: string, form: Record<string, string>) =>
    fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });

  test.each([
    ['succeeded', 'requires_capture'],
    ['failed', 'requires_payment_method'],
  ])('%s: the rider comes back, and the intent is %s', async (outcome, status) => {
    const asked = await confirm('pm_card_threeDSecure2Required');
    const page = await (await fetch(pageOf(asked))).text();
    expect(page).toContain('$25.00');
    const secret = /name="payment_intent_client_secret" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const form = { payment_intent_client_secret: secret, outcome };
    const response = await submit(pageOf(asked), form);
    expect(response.status).toBe(303);
    const back = new URL(response.headers.get('location') ?? '');
    expect(Object.fromEntries(back.searchParams)).toEqual({
      paid: 'perhaps',
      payment_intent: asked.id,
      payment_intent_client_secret: asked.client_secret,
      redirect_status: outcome,
    });
    expect((await stripe.paymentIntents.retrieve(asked.id)).status).toBe(status);
    expect(await (await fetch(pageOf(asked))).text()).toContain('nothing to answer');
  });

  test('is nobody’s who does not know the secret', async () => {
    const asked = await confirm('pm_card_threeDSecure2Required');
    const wrong = pageOf(asked).replace(/secret=.*/, 'secret=guessed');
    expect((await fetch(wrong)).status).toBe(404);
    const form = { payment_intent_client_secret: 'guessed', outcome: 'succeeded' };
    expect((await submit(wrong, form)).status).toBe(404);
    expect((await stripe.paymentIntents.retrieve(asked.id)).status).toBe('requires_action');
  });
});

test('none of it has moved money that the ledger does not know', async () => {
  expect((await psp.ledger()).consistent).toBe(true);
});
