import type Stripe from 'stripe';
import { holdWith, refusal, startPsp, stripeFor, type RunningPsp } from '../support/sandboxPsp';

let psp: RunningPsp;
let stripe: Stripe;

beforeEach(async () => {
  psp = await startPsp();
  stripe = psp.stripe;
});
afterEach(() => psp.stop());

const hold = (more: Partial<Stripe.PaymentIntentCreateParams> = {}) => holdWith(stripe, more);

describe('cards that do not pay', () => {
  test.each([
    ['pm_card_visa_chargeDeclined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeCustomerFail', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedLostCard', 'lost_card'],
    ['pm_card_visa_chargeDeclinedStolenCard', 'stolen_card'],
    ['pm_card_radarBlock', 'fraudulent'],
  ])('%s is declined with %s and leaves no hold', async (paymentMethod, declineCode) => {
    const declined = await refusal(hold({ payment_method: paymentMethod }));
    expect(declined).toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'card_declined',
      decline_code: declineCode,
      payment_intent: {
        status: 'requires_payment_method',
        payment_method: null,
        last_payment_error: { decline_code: declineCode },
      },
    });
    expect(await psp.openHolds()).toEqual([]);
    const again = await stripe.paymentIntents.confirm(declined.payment_intent?.id ?? '', {
      payment_method: 'pm_card_visa',
    });
    expect(again).toMatchObject({ status: 'requires_capture', last_payment_error: null });
  });

  test('an unknown payment method is missing, and nothing is created', async () => {
    expect(await refusal(hold({ payment_method: 'pm_card_nobody' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'payment_method',
    });
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
  });
});

describe('bad input', () => {
  test.each([
    [{ amount: 0 }, 'parameter_invalid_integer', 'amount'],
    [{ amount: -5 }, 'parameter_invalid_integer', 'amount'],
    [{ amount: 10.5 }, 'parameter_invalid_integer', 'amount'],
    [{ amount: 100_000_000 }, 'amount_too_large', 'amount'],
    [{ currency: 'qqq' }, undefined, 'currency'],
    [{ currency: undefined }, 'parameter_missing', 'currency'],
    [{ payment_method_types: ['card'] }, 'payment_method_types_no_longer_supported', 'payment_method_types'],
    [{ tip: 5 }, 'parameter_unknown', 'tip'],
    [{ payment_method: undefined }, 'payment_intent_unexpected_state', undefined],
  ])('%o', async (wrong, code, param) => {
    const error = await refusal(hold(wrong as object));
    expect(error).toMatchObject({ type: 'StripeInvalidRequestError', statusCode: 400 });
    expect([error.code, error.param]).toEqual([code, param]);
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
  });

  test.each([
    ['usd', 49, 'amount_too_small'],
    ['usd', 50, null],
    ['eur', 99_999_999, null],
    ['jpy', 50, null],
    ['jpy', 1_000_000_000, null],
    ['huf', 17_400, 'amount_too_small'],
    ['isk', 10_050, 'parameter_invalid_integer'],
    ['isk', 10_000, null],
    ['ugx', 200_010, 'parameter_invalid_integer'],
    ['kwd', 5_001, 'parameter_invalid_integer'],
    ['kwd', 5_010, null],
    ['idr', 100_000_000_000, null],
  ])('%s %i: %s', async (currency, amount, code) => {
    const held = hold({ currency, amount });
    if (code === null) expect((await held).amount).toBe(amount);
    else expect(await refusal(held)).toMatchObject({ statusCode: 400, code, param: 'amount' });
  });

  test('less than a charge has at least is neither captured nor raised to, but given back', async () => {
    const { id } = await hold();
    expect(await refusal(stripe.paymentIntents.capture(id, { amount_to_capture: 49 }))).toMatchObject({
      code: 'amount_too_small',
      param: 'amount_to_capture',
    });
    await stripe.paymentIntents.capture(id);
    expect((await stripe.refunds.create({ payment_intent: id, amount: 1 })).amount).toBe(1);
  });

  test('without a test key nothing is shown', async () => {
    const live = stripeFor(psp.url, { key: 'sk_live_1' });
    expect(await refusal(live.paymentIntents.list())).toMatchObject({
      type: 'StripeAuthenticationError',
      statusCode: 401,
    });
    const basic = `Basic ${Buffer.from('sk_test_1:').toString('base64')}`;
    const answered = await fetch(`${psp.url}/v1/refunds`, { headers: { authorization: basic } });
    expect(answered.status).toBe(200);
    expect((await fetch(`${psp.url}/v1/refunds`)).status).toBe(401);
  });
});
