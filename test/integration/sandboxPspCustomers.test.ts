import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import { holdWith, refusal, startPsp, stripeFor, type RunningPsp } from '../support/sandboxPsp';

/** Whose a card is, and how often it may be charged: as Stripe has it. */

let psp: RunningPsp;
let stripe: Stripe;

beforeAll(async () => {
  psp = await startPsp();
  stripe = psp.stripe;
});
afterAll(() => psp.stop());

/** A token as an app gets one for a card: of this card alone. */
const newCard = (does = 'visa') => `pm_${randomUUID().replaceAll('-', '')}_card_${does}`;
const charge = (payment_method: string, customer?: string) =>
  holdWith(stripe, { payment_method, ...(customer && { customer }) });
const newCustomer = async () => (await stripe.customers.create()).id;
const attach = (card: string, customer: string) => stripe.paymentMethods.attach(card, { customer });

test('a card without a customer is charged once, whether that was paid or not', async () => {
  const card = newCard();
  expect(await charge(card)).toMatchObject({ status: 'requires_capture', payment_method: card });
  const usedUp = expect.stringContaining('It may not be used again') as string;
  expect(await refusal(charge(card))).toMatchObject({ statusCode: 400, message: usedUp });
  expect(await refusal(attach(card, await newCustomer()))).toMatchObject({
    message: expect.stringContaining('may not be used again') as string,
  });

  const declined = newCard('visa_chargeDeclined');
  expect(await refusal(charge(declined))).toMatchObject({ decline_code: 'generic_decline' });
  expect(await refusal(charge(declined))).toMatchObject({ statusCode: 400, message: usedUp });

  const twice = newCard();
  const [one, other] = await Promise.all(
    [1, 2].map(() => holdWith(stripe, { payment_method: twice, ...unconfirmed })),
  );
  await stripe.paymentIntents.confirm(one!.id);
  expect(await refusal(stripe.paymentIntents.confirm(other!.id))).toMatchObject({ message: usedUp });
});

const unconfirmed = { confirm: undefined, off_session: undefined };

test('a card of a customer is charged as often as that customer is, and for nobody else', async () => {
  const [customer, somebodyElse] = [await newCustomer(), await newCustomer()];
  const card = newCard();
  expect(await attach(card, customer)).toMatchObject({ id: card, customer });
  for (const _ride of [1, 2])
    expect(await charge(card, customer)).toMatchObject({ status: 'requires_capture', customer });
  for (const other of [undefined, somebodyElse])
    expect(await refusal(charge(card, other))).toMatchObject({ statusCode: 400, param: 'payment_method' });
  const alreadyAttached = 'The payment method you provided has already been attached to a customer.';
  for (const again of [customer, somebodyElse])
    expect(await refusal(attach(card, again))).toMatchObject({ statusCode: 400, message: alreadyAttached });
});

test('a test token is as many cards as it is used for', async () => {
  for (const _ride of [1, 2]) await charge('pm_card_visa');
  const customer = await newCustomer();
  const cards = [await attach('pm_card_createDispute', customer), await attach('pm_card_visa', customer)];
  expect(new Set(cards.map(({ id }) => id)).size).toBe(2);
  const { data } = await stripe.customers.listPaymentMethods(customer);
  expect(data.map(({ id }) => id)).toEqual(cards.map(({ id }) => id).reverse());
  const { latest_charge: paid } = await holdWith(stripe, {
    ...{ customer, payment_method: cards[0]!.id, capture_method: 'automatic' },
  });
  expect(await stripe.charges.retrieve(paid as string)).toMatchObject({ disputed: true, customer });
});

test('a card that nobody owns is not charged for a customer who is not there', async () => {
  const customer = await newCustomer();
  expect(await refusal(charge(newCard(), customer))).toMatchObject({
    code: 'resource_missing',
    param: 'payment_method',
  });
});

test.each([
  ['visa_chargeDeclined', 'card_declined', 'generic_decline'],
  ['chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'incorrect_cvc'],
])('pm_card_%s cannot be attached either: %s', async (does, code, decline_code) => {
  const customer = await newCustomer();
  expect(await refusal(attach(`pm_card_${does}`, customer))).toMatchObject({
    ...{ statusCode: 402, type: 'StripeCardError', code, decline_code },
  });
});

test('pm_card_chargeCustomerFail is attached, and declined then', async () => {
  const customer = await newCustomer();
  const { id } = await attach('pm_card_chargeCustomerFail', customer);
  expect(await refusal(charge(id, customer))).toMatchObject({ decline_code: 'generic_decline' });
  expect(await refusal(charge(id, customer))).toMatchObject({ decline_code: 'generic_decline' });
});

test('a customer who is deleted is missing, and their cards are used up', async () => {
  const customer = await newCustomer();
  const card = newCard();
  await attach(card, customer);
  expect(await stripe.customers.del(customer)).toEqual(
    expect.objectContaining({ id: customer, object: 'customer', deleted: true }),
  );
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ deleted: true });
  const missing = { code: 'resource_missing', param: 'customer', statusCode: 400 };
  expect(await refusal(charge(card, customer))).toMatchObject(missing);
  expect(await refusal(attach(newCard(), customer))).toMatchObject(missing);
  expect(await refusal(attach(card, await newCustomer()))).toMatchObject({ statusCode: 400 });
});

test('what is unknown is missing, and a name is no parameter here', async () => {
  expect(await refusal(attach('pm_nobody', await newCustomer()))).toMatchObject({ statusCode: 404 });
  expect(await refusal(attach('pm_card_visa', 'cus_nobody'))).toMatchObject({ param: 'customer' });
  expect(await refusal(stripe.customers.retrievePaymentMethod(await newCustomer(), newCard()))).toMatchObject(
    { statusCode: 404 },
  );
  expect(await refusal(stripe.customers.retrieve('cus_nobody'))).toMatchObject({ statusCode: 404 });
  expect(await refusal(stripe.customers.create({ email: 'jane@example.org' }))).toMatchObject({
    code: 'parameter_unknown',
  });
});

test('whose cards are survives the process', async () => {
  const first = await startPsp();
  const [card, used, gone] = [newCard(), newCard(), newCard()];
  const customer = (await first.stripe.customers.create({}, { idempotencyKey: 'rider' })).id;
  const deleted = (await first.stripe.customers.create()).id;
  await first.stripe.paymentMethods.attach(card, { customer });
  await first.stripe.paymentMethods.attach(gone, { customer: deleted });
  await first.stripe.customers.del(deleted);
  await holdWith(first.stripe, { payment_method: used });
  const second = await first.restart();
  const again = stripeFor(second.url);
  expect((await again.customers.create({}, { idempotencyKey: 'rider' })).id).toBe(customer);
  expect((await again.customers.retrievePaymentMethod(customer, card)).customer).toBe(customer);
  for (const method of [used, gone])
    expect((await refusal(holdWith(again, { payment_method: method }))).statusCode).toBe(400);
  await second.stop();
});
