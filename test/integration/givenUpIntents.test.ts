import Stripe from 'stripe';
import { buryIntent, type IntentRef } from '../../services/payments/books/paymentStore';
import { voidHolds } from '../../services/payments/provider/holds';
import { chargeCard } from '../../services/payments/provider/intents';
import { openPayment, paymentOrder, providerAccess } from '../support/payments';
import { startProviderGround, type ProviderGround } from '../support/providerGround';

let { pool, psp, access, stop } = {} as ProviderGround;

beforeAll(async () => void ({ pool, psp, access, stop } = await startProviderGround()));
afterAll(() => stop?.());

/** What is done while a process that asks the provider stands still: before a request of this path, or after its answer. */
interface Meanwhile {
  readonly when: 'before' | 'after';
  readonly path: RegExp;
  readonly task: () => Promise<unknown>;
}

/** Asks for money, as an activity whose workflow does not wait for it any more. */
async function ask(ref: IntentRef, meanwhile?: Meanwhile) {
  const inner = Stripe.createNodeHttpClient();
  const happens = async (when: Meanwhile['when'], path: string): Promise<void> => {
    if (meanwhile?.when === when && meanwhile.path.test(path)) await meanwhile.task();
  };
  const httpClient: Stripe.HttpClient = {
    getClientName: () => inner.getClientName(),
    async makeRequest(...request) {
      await happens('before', request[2]);
      const response = await inner.makeRequest(...request);
      await happens('after', request[2]);
      return response;
    },
  };
  const { amountMinor, currency } = await openPayment(pool, paymentOrder({ rideId: ref.paymentId }));
  const interrupted = providerAccess(pool, psp.url, { httpClient });
  return chargeCard(interrupted, { ref, amountMinor, currency, paymentMethod: 'pm_card_visa' });
}

const holdOf = (paymentId: string, intentVersion = 1): IntentRef => ({
  ...{ paymentId, purpose: 'hold', intentVersion },
});
const release = (rideId: string, holdVersion?: number) =>
  voidHolds(access, { rideId, ...(holdVersion === undefined ? {} : { holdVersion }) });

const create = /payment_intents$/;
const confirm = /\/confirm$/;

test.each<[string, Omit<Meanwhile, 'task'>, object]>([
  ['made', { when: 'before', path: create }, { charged: false, reason: 'given_up' }],
  ['stored', { when: 'after', path: create }, { charged: false, reason: 'given_up' }],
])('a payment that is voided before its intent is %s has no hold after it', async (_when, at, answer) => {
  const { rideId } = paymentOrder();
  const task = () => release(rideId).then((intentId) => expect(intentId).toBeNull());
  expect(await ask(holdOf(rideId), { ...at, task })).toEqual(answer);
  expect(await psp.openHolds(rideId)).toEqual([]);
});

test('one that is voided before its intent is confirmed, or when it has been, has none either', async () => {
  for (const when of ['before', 'after'] as const) {
    const { rideId } = paymentOrder();
    const asked = ask(holdOf(rideId), { when, path: confirm, task: () => release(rideId) });
    await asked.catch((error: Error) => expect(error.message).toContain('canceled'));
    expect(await psp.openHolds(rideId)).toEqual([]);
    expect(await ask(holdOf(rideId))).toMatchObject({ charged: false });
    expect(await psp.openHolds(rideId)).toEqual([]);
  }
});

test('one hold that is given up takes no other with it; all that are, are all there will be', async () => {
  const { rideId } = paymentOrder();
  await release(rideId, 1);
  expect(await ask(holdOf(rideId, 1))).toEqual({ charged: false, reason: 'given_up' });
  expect(await ask(holdOf(rideId, 2))).toMatchObject({ charged: true });
  expect(await psp.openHolds(rideId)).toHaveLength(1);
  await release(rideId);
  expect(await ask(holdOf(rideId, 3))).toEqual({ charged: false, reason: 'given_up' });
  expect(await psp.openHolds(rideId)).toEqual([]);
});

test('a tip that is given up is not charged, whoever still asks for it', async () => {
  const { rideId } = paymentOrder();
  const tip: IntentRef = { paymentId: rideId, purpose: 'tip', intentVersion: 1 };
  const task = async () => expect(await buryIntent(pool, tip)).toBeNull();
  const given = await ask(tip, { when: 'before', path: create, task });
  expect(given).toEqual({ charged: false, reason: 'given_up' });
  expect(await buryIntent(pool, tip)).toMatch(/^pi_/);
  expect(await psp.netOf(rideId)).toBe(0);
});
