import type Stripe from 'stripe';
import { holdWith, refusal, startPsp, type RunningPsp } from '../support/sandboxPsp';

let psp: RunningPsp;
let stripe: Stripe;

beforeEach(async () => {
  psp = await startPsp();
  stripe = psp.stripe;
});
afterEach(() => psp.stop());

const hold = (more: Partial<Stripe.PaymentIntentCreateParams> = {}, key?: string) =>
  holdWith(stripe, more, key);

describe('the life of a payment', () => {
  test('created, confirmed, captured in part: the rest of the hold is released', async () => {
    const created = await stripe.paymentIntents.create({
      amount: 2500,
      currency: 'usd',
      capture_method: 'manual',
      payment_method: 'pm_card_visa',
      metadata: { rideId: 'ride-1' },
    });
    expect(created.status).toBe('requires_confirmation');
    expect(await psp.openHolds()).toEqual([]);

    const authorized = await stripe.paymentIntents.confirm(created.id);
    expect(authorized).toMatchObject({ status: 'requires_capture', amount_capturable: 2500 });
    expect(await psp.openHolds()).toMatchObject([
      { paymentIntent: created.id, rideId: 'ride-1', amount: 2500, currency: 'USD' },
    ]);

    const captured = await stripe.paymentIntents.capture(created.id, { amount_to_capture: 1800 });
    expect(captured).toMatchObject({ status: 'succeeded', amount_received: 1800, amount_capturable: 0 });
    expect(await stripe.paymentIntents.retrieve(created.id)).toMatchObject({
      ...captured,
      lastResponse: expect.anything(),
    });
    expect(await psp.openHolds()).toEqual([]);
    const { currencies, consistent, movements } = await psp.ledger();
    expect(currencies).toMatchObject({
      USD: { authorizedOpenMinor: 0, capturedMinor: 1800, refundedMinor: 0, balanceMinor: 1800 },
    });
    expect(consistent).toBe(true);
    expect(movements).toMatchObject([
      { kind: 'capture', paymentIntent: created.id, rideId: 'ride-1', amount: 1800, currency: 'USD' },
    ]);
  });

  test('automatic capture takes the money with the confirmation', async () => {
    const paid = await hold({ capture_method: 'automatic' });
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 2500 });
    expect((await psp.ledger()).currencies['USD']?.capturedMinor).toBe(2500);
  });

  test('a cancelled hold is released; what has ended takes no further step', async () => {
    const { id } = await hold();
    expect(await stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' })).toMatchObject({
      status: 'canceled',
      amount_capturable: 0,
      cancellation_reason: 'abandoned',
    });
    expect(await psp.openHolds()).toEqual([]);
    for (const step of [
      stripe.paymentIntents.capture(id),
      stripe.paymentIntents.cancel(id),
      stripe.paymentIntents.confirm(id),
    ]) {
      expect(await refusal(step)).toMatchObject({
        statusCode: 400,
        code: 'payment_intent_unexpected_state',
        payment_intent: { id, status: 'canceled' },
      });
    }
  });

  test('more than was held is not captured', async () => {
    const { id } = await hold();
    expect(await refusal(stripe.paymentIntents.capture(id, { amount_to_capture: 2501 }))).toMatchObject({
      statusCode: 400,
      code: 'amount_too_large',
    });
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({ status: 'requires_capture' });
  });

  test('a hold is raised, by its key once, and all of it can be captured', async () => {
    const raisable = {
      payment_method_options: { card: { request_incremental_authorization: 'if_available' } },
    } as const;
    const { id } = await hold(raisable);
    const raise = (amount: number, idempotencyKey: string) =>
      stripe.paymentIntents.incrementAuthorization(id, { amount }, { idempotencyKey });
    const raised = await raise(3000, 'raise-1');
    expect(raised).toMatchObject({ status: 'requires_capture', amount: 3000, amount_capturable: 3000 });
    expect((await raise(3000, 'raise-1')).amount).toBe(3000);
    expect(await refusal(raise(3000, 'raise-2'))).toMatchObject({ statusCode: 400, param: 'amount' });
    expect((await psp.ledger()).currencies['USD']?.authorizedOpenMinor).toBe(3000);
    psp = await psp.restart();
    stripe = psp.stripe;
    await stripe.paymentIntents.capture(id, { amount_to_capture: 2900 });
    expect(await psp.ledger()).toMatchObject({
      consistent: true,
      currencies: { USD: { authorizedOpenMinor: 0, capturedMinor: 2900 } },
    });
    expect(await refusal(raise(3500, 'raise-3'))).toMatchObject({ code: 'payment_intent_unexpected_state' });
  });

  test('a raise that is declined, or was not asked for at the start, leaves the hold as it was', async () => {
    const card = { request_incremental_authorization: 'if_available' } as const;
    const declining = await hold({
      payment_method: 'pm_card_visa_incrementDeclined',
      payment_method_options: { card },
    });
    const plain = await hold();
    const raise = (id: string) => refusal(stripe.paymentIntents.incrementAuthorization(id, { amount: 3000 }));
    expect(await raise(declining.id)).toMatchObject({
      statusCode: 402,
      code: 'card_declined',
      decline_code: 'insufficient_funds',
    });
    expect(await raise(plain.id)).toMatchObject({ statusCode: 400 });
    for (const { id } of [declining, plain])
      expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
        status: 'requires_capture',
        amount_capturable: 2500,
        last_payment_error: null,
      });
  });

  test('refunds: in parts, up to what was captured', async () => {
    const { id } = await hold({ capture_method: 'automatic' });
    const first = await stripe.refunds.create({
      payment_intent: id,
      amount: 1000,
      metadata: { why: 'late' },
    });
    expect(first).toMatchObject({ status: 'succeeded', amount: 1000, metadata: { why: 'late' } });
    expect(await refusal(stripe.refunds.create({ payment_intent: id, amount: 1501 }))).toMatchObject({
      statusCode: 400,
      param: 'amount',
    });
    const rest = await stripe.refunds.create({ payment_intent: id });
    expect(rest.amount).toBe(1500);
    expect(await refusal(stripe.refunds.create({ payment_intent: id }))).toMatchObject({
      code: 'charge_already_refunded',
    });
    expect((await stripe.refunds.list({ payment_intent: id })).data.map((refund) => refund.id)).toEqual([
      rest.id,
      first.id,
    ]);
    expect((await stripe.refunds.retrieve(first.id)).amount).toBe(1000);
    expect(await psp.ledger()).toMatchObject({
      currencies: { USD: { authorizedOpenMinor: 0, capturedMinor: 2500, refundedMinor: 2500 } },
      consistent: true,
    });
  });

  test('a hold is not refunded, only what was captured', async () => {
    const { id } = await hold();
    expect(await refusal(stripe.refunds.create({ payment_intent: id }))).toMatchObject({
      statusCode: 400,
      message: `This PaymentIntent (${id}) does not have a successful charge to refund.`,
    });
  });
});

describe('finding', () => {
  test('by metadata, newest first, page by page', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.unshift((await hold({ amount: 100 + i })).id);
    await hold({ metadata: { rideId: "O'Hare" } });

    const found: string[] = [];
    const query = "metadata['rideId']:'ride-1' AND status:'requires_capture'";
    for await (const intent of stripe.paymentIntents.search({ query, limit: 2 })) found.push(intent.id);
    expect(found).toEqual(ids);
    expect(
      (await stripe.paymentIntents.search({ query: "metadata['rideId']:'O\\'Hare'" })).data,
    ).toHaveLength(1);
    expect((await stripe.paymentIntents.search({ query: "metadata['rideId']:'ride-2'" })).data).toEqual([]);
    expect(await refusal(stripe.paymentIntents.search({ query: 'amount>5' }))).toMatchObject({
      param: 'query',
    });

    const listed: string[] = [];
    for await (const intent of stripe.paymentIntents.list({ limit: 4 })) listed.push(intent.id);
    expect(listed.slice(1)).toEqual(ids);
  });

  test('what does not exist is missing', async () => {
    for (const call of [
      stripe.paymentIntents.retrieve('pi_none'),
      stripe.paymentIntents.capture('pi_none'),
      stripe.refunds.retrieve('re_none'),
      stripe.refunds.create({ payment_intent: 'pi_none' }),
    ]) {
      expect(await refusal(call)).toMatchObject({ statusCode: 404, code: 'resource_missing' });
    }
  });
});
