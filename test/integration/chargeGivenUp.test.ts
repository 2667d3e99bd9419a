import { storedIntentId } from '../../services/payments/books/paymentStore';
import { giveUpCharge } from '../../services/payments/provider/giveUp';
import { chargeCard } from '../../services/payments/provider/intents';
import { openPayment } from '../support/payments';
import { startProviderGround, type ProviderGround } from '../support/providerGround';

let { pool, psp, access, stop } = {} as ProviderGround;

beforeAll(async () => void ({ pool, psp, access, stop } = await startProviderGround()));
afterEach(() => psp.clearFaults());
afterAll(() => stop?.());

const tip = async () => ({
  ref: { paymentId: (await openPayment(pool)).rideId, purpose: 'tip', intentVersion: 1 } as const,
  ...{ amountMinor: 300, currency: 'USD', paymentMethod: 'pm_card_visa' },
});
/** A connection that is cut is tried twice by the client. */
const confirm = { method: 'POST', path: '/v1/payment_intents/*/confirm' };
const didNotHappen = { charged: false, reason: 'resolved_by_operator' };

test('a charge whose answer was lost has happened: it is not given up', async () => {
  const charge = await tip();
  await psp.fault({ match: confirm, kind: 'drop_after', times: 2 });
  await expect(chargeCard(access, charge)).rejects.toThrow();
  expect(await giveUpCharge(access, charge.ref)).toEqual({
    charged: true,
    intentId: expect.stringMatching(/^pi_/) as string,
  });
  expect(await psp.netOf(charge.ref.paymentId)).toBe(300);
});

test('a charge that never reached the provider is cancelled there, and cannot happen later', async () => {
  const charge = await tip();
  await psp.fault({ match: confirm, kind: 'drop_before', times: 2 });
  await expect(chargeCard(access, charge)).rejects.toThrow();
  expect(await giveUpCharge(access, charge.ref)).toEqual(didNotHappen);
  expect(await giveUpCharge(access, charge.ref)).toEqual(didNotHappen);
  const intentId = await storedIntentId(pool, charge.ref);
  expect(await psp.stripe.paymentIntents.retrieve(intentId!)).toMatchObject({ status: 'canceled' });
  expect(await chargeCard(access, charge)).toMatchObject({ charged: false });
  expect(await psp.netOf(charge.ref.paymentId)).toBe(0);
});

test('a charge that was given up before it was begun does not begin', async () => {
  const charge = await tip();
  expect(await giveUpCharge(access, charge.ref)).toEqual(didNotHappen);
  expect(await chargeCard(access, charge)).toMatchObject({ charged: false });
  expect(await psp.netOf(charge.ref.paymentId)).toBe(0);
});

test('where the cancel itself has no outcome it is asked for again', async () => {
  const charge = await tip();
  await psp.fault({ match: confirm, kind: 'drop_before', times: 2 });
  await expect(chargeCard(access, charge)).rejects.toThrow();
  await psp.fault({
    match: { method: 'POST', path: '/v1/payment_intents/*/cancel' },
    kind: 'drop_after',
    times: 2,
  });
  await expect(giveUpCharge(access, charge.ref)).rejects.toThrow();
  expect(await giveUpCharge(access, charge.ref)).toEqual(didNotHappen);
});

test('a charge that was made with another amount is not taken for this one', async () => {
  const charge = await tip();
  expect(await chargeCard(access, charge)).toMatchObject({ charged: true });
  const other = { charged: false, reason: 'charged_otherwise' };
  expect(await chargeCard(access, { ...charge, amountMinor: 500 })).toEqual(other);
  expect(await chargeCard(access, charge)).toMatchObject({ charged: true });
  expect(await psp.netOf(charge.ref.paymentId)).toBe(300);
});
