import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import Stripe from 'stripe';
import { createPaymentActivities, type ProviderActivities } from '../../activities/payments';
import type { PaymentOrder } from '../../domain/paymentFacts';
import type { Attempt } from '../../services/payments/provider/attempts';
import { observedHttp } from '../../services/payments/provider/observedHttp';
import { openPayment, paymentOrder, providerAccess, untilAnswered } from '../support/payments';
import { startProviderGround, type ProviderGround } from '../support/providerGround';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** A rider is one customer at the provider, and their card can be charged again and again. */

let { pool, psp, stop } = {} as ProviderGround;
let provider: ProviderActivities;
let attempts: Attempt[] = [];

beforeAll(async () => {
  ({ pool, psp, stop } = await startProviderGround());
  const httpClient = observedHttp(Stripe.createNodeHttpClient(), (attempt) => {
    if (attempt.ms !== null) attempts.push({ ...attempt });
  });
  const { client } = providerAccess(pool, psp.url, { httpClient });
  provider = createPaymentActivities({ pool, vault: vaultInMemory(), provider: client }).provider;
});
beforeEach(() => {
  attempts = [];
});
afterEach(() => psp.clearFaults());
afterAll(() => stop?.());

const newRider = () => `rider-${randomUUID()}`;
/** A token as an app gets one: a card of its own, which the provider lets be charged once unless it is somebody's. */
const newCard = () => `pm_${randomUUID().replaceAll('-', '')}_card_visa`;

const ride = (riderId: string, token: string): Promise<PaymentOrder> =>
  openPayment(pool, paymentOrder({ riderId, method: { type: 'card', token } }));
const hold = async (riderId: string, token: string) => provider.authorize(await ride(riderId, token));

const requests = () => attempts.map(({ request }) => request.replace(/pi_\w+/, 'pi'));
const confirmed = ['POST /v1/payment_intents', 'POST /v1/payment_intents/pi/confirm'];
/** Beside those of other tests. */
const customersSince = async (before: ReadonlySet<string>) =>
  (await allCustomers()).filter((id) => !before.has(id));
const allCustomers = async () =>
  (await psp.stripe.customers.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 })).map(({ id }) => id);
const cardsOf = async (customer: string) =>
  (await psp.stripe.customers.listPaymentMethods(customer)).data.map(({ id }) => id);

test('the card of a known rider is charged for tips, debts, extras and the next ride, without a further request', async () => {
  const [riderId, token] = [newRider(), newCard()];
  const before = new Set(await allCustomers());
  const { rideId } = await ride(riderId, token);
  const first = await provider.authorize(paymentOrder({ rideId, riderId, method: { type: 'card', token } }));
  expect(requests()).toEqual(['POST /v1/customers', 'POST /v1/payment_methods/:id/attach', ...confirmed]);
  attempts = [];
  const charge = { rideId, amountMinor: 300, currency: 'USD', paymentMethod: token, attempt: 1 };
  const charged = [
    first,
    await provider.chargeTip(charge),
    await provider.collect(charge),
    await provider.chargeExtra(charge),
    await hold(riderId, token),
  ];
  expect(charged.filter(({ charged }) => !charged)).toEqual([]);
  expect(requests()).toEqual([1, 2, 3, 4].flatMap(() => confirmed));
  const [customer, ...others] = await customersSince(before);
  expect(others).toEqual([]);
  expect(await cardsOf(customer!)).toEqual([token]);
  for (const one of charged)
    expect(await psp.stripe.paymentIntents.retrieve(one.charged ? one.intentId : '')).toMatchObject({
      ...{ customer, payment_method: token },
    });
});

test('a second card of a rider is attached to the same customer', async () => {
  const riderId = newRider();
  const before = new Set(await allCustomers());
  const cards = [newCard(), newCard()];
  for (const card of cards) expect(await hold(riderId, card)).toMatchObject({ charged: true });
  const customers = await customersSince(before);
  expect(customers).toHaveLength(1);
  expect((await cardsOf(customers[0]!)).sort()).toEqual([...cards].sort());
});

test('first rides of one rider at once make one customer', async () => {
  const [riderId, token] = [newRider(), newCard()];
  const before = new Set(await allCustomers());
  // The one that is first takes so long that all others meet it.
  await psp.fault({ match: { method: 'POST', path: '/v1/customers' }, kind: 'delay', delayMs: 250 });
  const held = await Promise.all([1, 2, 3, 4].map(() => hold(riderId, token)));
  expect(held.every(({ charged }) => charged)).toBe(true);
  const customers = await customersSince(before);
  expect(customers).toHaveLength(1);
  expect(await cardsOf(customers[0]!)).toEqual([token]);
});

/** Whatever becomes of a request, or of the worker after it: the same calls again lead to one customer and one card. */
describe.each(['error500_before', 'drop_before', 'drop_after', 'unavailable'] as const)('%s', (kind) => {
  test.each(['/v1/customers', '/v1/payment_methods/*/attach'])('at %s makes nothing twice', async (path) => {
    const [riderId, token] = [newRider(), newCard()];
    const before = new Set(await allCustomers());
    // Twice: Stripe's client itself asks again where a connection was cut.
    await psp.fault({ match: { method: 'POST', path }, kind, times: 2 });
    const order = await ride(riderId, token);
    expect(await untilAnswered(() => provider.authorize(order))).toMatchObject({ charged: true });
    await psp.faultsMet();
    const customers = await customersSince(before);
    expect(customers).toHaveLength(1);
    expect(await cardsOf(customers[0]!)).toEqual([token]);
  });
});

test('a card that was attached, and nobody knows, is found when the provider has forgotten the key', async () => {
  const [riderId, token] = [newRider(), newCard()];
  await psp.fault({
    match: { method: 'POST', path: '/v1/payment_methods/*/attach' },
    kind: 'error500_after',
  });
  const order = await ride(riderId, token);
  await expect(provider.authorize(order)).rejects.toThrow();
  await psp.post('/sandbox/clock', { advanceMs: 25 * 60 * 60 * 1_000 });
  expect(await provider.authorize(order)).toMatchObject({ charged: true });
});

test('a customer who is deleted before their charge is confirmed has it declined, and the next one is another’s', async () => {
  const [riderId, token] = [newRider(), newCard()];
  const before = new Set(await allCustomers());
  const order = await ride(riderId, token);
  await psp.fault({ match: { method: 'POST', path: '/v1/payment_intents/*/confirm' }, kind: 'unavailable' });
  await expect(provider.authorize(order)).rejects.toThrow();
  const [customer] = await customersSince(before);
  await psp.stripe.customers.del(customer!);
  const gone = { charged: false, reason: 'customer_gone' };
  expect([await provider.authorize(order), await provider.authorize(order)]).toEqual([gone, gone]);
  expect(await hold(riderId, newCard())).toMatchObject({ charged: true });
});

test('a stored server error is not repeated for a day: the rider is charged all the same', async () => {
  await psp.fault({ match: { method: 'POST', path: '/v1/customers' }, kind: 'error500_after' });
  const order = await ride(newRider(), newCard());
  expect(await untilAnswered(() => provider.authorize(order))).toMatchObject({ charged: true });
});

describe('a customer who is deleted at the provider', () => {
  const deletedRider = async (token: string) => {
    const riderId = newRider();
    const before = new Set(await allCustomers());
    await hold(riderId, token);
    const [customer] = await customersSince(before);
    await psp.stripe.customers.del(customer!);
    return { riderId, before };
  };

  test('is made anew once for the next rides, also when they come at once', async () => {
    const { riderId, before } = await deletedRider('pm_card_visa');
    const held = await Promise.all(
      [1, 2, 3].map(async () => {
        const order = await ride(riderId, 'pm_card_visa');
        return untilAnswered(() => provider.authorize(order));
      }),
    );
    expect(held.every(({ charged }) => charged)).toBe(true);
    expect(await customersSince(before)).toHaveLength(1);
  });

  test('has taken their card along; with another one they can ride', async () => {
    const token = newCard();
    const { riderId } = await deletedRider(token);
    const notUsable = { charged: false, reason: 'payment_method_not_usable' };
    const order = await ride(riderId, token);
    for (const _again of [1, 2]) expect(await provider.authorize(order)).toEqual(notUsable);
    expect(await hold(riderId, newCard())).toMatchObject({ charged: true });
  });

  test('is not waited for where the answer to an intent of theirs was lost', async () => {
    const riderId = newRider();
    const before = new Set(await allCustomers());
    const order = await ride(riderId, 'pm_card_visa');
    await psp.fault({ match: { method: 'POST', path: '/v1/payment_intents' }, kind: 'error500_after' });
    await expect(provider.authorize(order)).rejects.toThrow();
    await psp.stripe.customers.del((await customersSince(before))[0]!);
    expect(await hold(riderId, 'pm_card_visa')).toMatchObject({ charged: true });
    expect(await untilAnswered(() => provider.authorize(order))).toMatchObject({ charged: true });
    expect(await psp.openHolds(order.rideId)).toHaveLength(1);
  });

  test('is made anew for a card that was not attached yet, too', async () => {
    const { riderId } = await deletedRider(newCard());
    expect(await hold(riderId, newCard())).toMatchObject({ charged: true });
  });
});

test.each([
  ['an unknown card', () => Promise.resolve('pm_unheard_of'), 'unknown_payment_method'],
  [
    'a card that its issuer declines',
    () => Promise.resolve('pm_card_visa_chargeDeclined'),
    'generic_decline',
  ],
  [
    'a card of somebody else',
    async () => {
      const theirs = newCard();
      await hold(newRider(), theirs);
      return theirs;
    },
    'payment_method_not_usable',
  ],
  [
    'a card that was charged without a customer, before there were any',
    async () => {
      const used = newCard();
      await psp.stripe.paymentIntents.create({
        ...{ amount: 500, currency: 'usd', payment_method: used, confirm: true },
        allowed_payment_method_types: ['card'],
      });
      return used;
    },
    'payment_method_not_usable',
  ],
])('%s is an answer, and the same when asked again', async (_what, card, reason) => {
  const order = await ride(newRider(), await card());
  for (const _again of [1, 2]) expect(await provider.authorize(order)).toEqual({ charged: false, reason });
  expect(await psp.openHolds(order.rideId)).toEqual([]);
});

test('the provider never hears who a rider is, and what we asked it names no card', async () => {
  const [riderId, token] = [newRider(), newCard()];
  await hold(riderId, token);
  const told = await readFile(psp.journalPath, 'utf8');
  expect(told).toContain(token);
  expect(told).not.toContain(riderId);
  expect(attempts).not.toHaveLength(0);
  expect(JSON.stringify(attempts)).not.toContain('pm_');
});
