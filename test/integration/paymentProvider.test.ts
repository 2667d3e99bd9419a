import { createPaymentActivities } from '../../activities/payments';
import { captureHold, voidHolds } from '../../services/payments/provider/holds';
import { chargeCard } from '../../services/payments/provider/intents';
import { raiseHold } from '../../services/payments/provider/raiseHold';
import { refundCapture } from '../../services/payments/provider/refunds';
import { openPayment, paymentOrder, untilAnswered } from '../support/payments';
import { startProviderGround, type ProviderGround } from '../support/providerGround';
import { eventually } from '../support/rideSaga';
import { vaultInMemory } from '../../tools/vaultInMemory';

let { pool, psp, access, stop } = {} as ProviderGround;

beforeAll(async () => void ({ pool, psp, access, stop } = await startProviderGround()));

afterEach(() => psp.clearFaults());

afterAll(() => stop?.());

const hold = async (order = paymentOrder(), token = 'pm_card_visa') => {
  const { rideId, amountMinor, currency } = await openPayment(pool, order);
  const ref = { paymentId: rideId, purpose: 'hold', intentVersion: 1 } as const;
  return chargeCard(access, { ref, amountMinor, currency, paymentMethod: token });
};

const intentOf = async (rideId: string): Promise<string> => {
  const { rows } = await pool.query<{ intent_id: string }>(
    'select intent_id from provider_intents where payment_id = $1',
    [rideId],
  );
  return rows[0]!.intent_id;
};

test('a hold is one hold however often it is asked for', async () => {
  const order = paymentOrder();
  const first = await hold(order);
  expect(first).toEqual({ charged: true, intentId: await intentOf(order.rideId) });
  expect(await hold(order)).toEqual(first);
  expect(await psp.openHolds(order.rideId)).toHaveLength(1);
});

test('a hold that is made anew without its rider says until when it can be captured', async () => {
  const { rideId, amountMinor, currency } = await openPayment(pool);
  const ref = { paymentId: rideId, purpose: 'hold', intentVersion: 2 } as const;
  const held = await chargeCard(access, { ref, amountMinor, currency, paymentMethod: 'pm_card_visa' });
  const hoursMs = (4 * 24 + 18) * 60 * 60_000;
  const endsAt = new Date(Math.floor((psp.clock.now.getTime() + hoursMs) / 1_000) * 1_000).toISOString();
  expect(held).toEqual({ charged: true, intentId: await intentOf(rideId), heldUntil: endsAt });
});

test('a declined card and an unknown one are answers, and the same when asked again', async () => {
  const order = paymentOrder();
  const declined = { charged: false, reason: 'insufficient_funds' };
  expect(await hold(order, 'pm_card_visa_chargeDeclinedInsufficientFunds')).toEqual(declined);
  expect(await hold(order, 'pm_card_visa_chargeDeclinedInsufficientFunds')).toEqual(declined);
  expect(await hold(paymentOrder(), 'pm_unheard_of')).toEqual({
    charged: false,
    reason: 'unknown_payment_method',
  });
});

/** Each fault at each call of a step, and the calls are the same each time: the money moves once. */
const faults = ['error500_before', 'error500_after', 'drop_before', 'drop_after', 'unavailable'] as const;
const everyPath = {
  create: '/v1/payment_intents',
  confirm: '/v1/payment_intents/*/confirm',
  capture: '/v1/payment_intents/*/capture',
  cancel: '/v1/payment_intents/*/cancel',
  raise: '/v1/payment_intents/*/increment_authorization',
  refund: '/v1/refunds',
} as const;

describe.each(faults)('%s', (kind) => {
  const meet = (call: keyof typeof everyPath, times = 1): Promise<void> =>
    psp.fault({ match: { method: 'POST', path: everyPath[call] }, kind, times });

  test.each(['create', 'confirm'] as const)('at %s leaves one hold', async (call) => {
    await meet(call);
    const order = paymentOrder();
    const held = await untilAnswered(() => hold(order));
    expect(held).toEqual({ charged: true, intentId: await intentOf(order.rideId) });
    expect(await psp.openHolds(order.rideId)).toHaveLength(1);
  });

  test('at capture takes the money once, and a repeat afterwards changes nothing', async () => {
    const order = paymentOrder();
    const held = await hold(order);
    if (!held.charged) throw new Error('not held');
    await meet('capture');
    const capture = { rideId: order.rideId, intentId: held.intentId, amountMinor: 500 };
    await untilAnswered(() => captureHold(access, capture));
    await captureHold(access, capture);
    expect(await psp.movementsOf(order.rideId)).toEqual([['capture', 500]]);
    expect(await psp.openHolds(order.rideId)).toEqual([]);
  });

  test('at a raise raises once, and no more when it is asked again', async () => {
    const order = paymentOrder();
    const held = await hold(order);
    if (!held.charged) throw new Error('not held');
    await meet('raise');
    const raise = { rideId: order.rideId, intentId: held.intentId, changeId: 'change-1', toMinor: 2_000 };
    expect(await untilAnswered(() => raiseHold(access, raise))).toEqual({ raised: true });
    expect(await raiseHold(access, raise)).toEqual({ raised: true });
    expect(await psp.openHolds(order.rideId)).toMatchObject([{ amount: 2_000 }]);
  });

  test('at void releases the hold', async () => {
    const order = paymentOrder();
    await hold(order);
    await meet('cancel');
    const intentId = await untilAnswered(() => voidHolds(access, order));
    expect(await voidHolds(access, order)).toBe(intentId);
    expect(await psp.openHolds(order.rideId)).toEqual([]);
    expect(await psp.movementsOf(order.rideId)).toEqual([]);
  });

  test('at refund gives back once for each key', async () => {
    const order = paymentOrder();
    const held = await hold(order);
    if (!held.charged) throw new Error('not held');
    const { rideId } = order;
    await captureHold(access, { rideId, intentId: held.intentId, amountMinor: 1_500 });
    await meet('refund');
    const refund = { rideId, intentId: held.intentId, refundKey: 'ops:1', part: 1, amountMinor: 400 };
    const given = await untilAnswered(() => refundCapture(access, refund));
    expect(await refundCapture(access, refund)).toEqual(given);
    await refundCapture(access, { ...refund, refundKey: 'ops:2', amountMinor: 100 });
    expect(await psp.movementsOf(rideId)).toEqual([
      ['capture', 1_500],
      ['refund', 400],
      ['refund', 100],
    ]);
  });
});

test('a raise that the card does not cover is an answer, the same when asked again, and the hold stays', async () => {
  const order = paymentOrder();
  const held = await hold(order, 'pm_card_visa_incrementDeclined');
  if (!held.charged) throw new Error('not held');
  const raise = { rideId: order.rideId, intentId: held.intentId, changeId: 'change-1', toMinor: 2_000 };
  const declined = { raised: false, reason: 'insufficient_funds' };
  expect(await raiseHold(access, raise)).toEqual(declined);
  expect(await raiseHold(access, raise)).toEqual(declined);
  expect(await psp.openHolds(order.rideId)).toMatchObject([{ amount: 1_500 }]);
  await captureHold(access, { ...raise, amountMinor: 1_500 });
  expect(await raiseHold(access, raise)).toEqual({ raised: false, reason: 'hold_succeeded' });
});

test('an answer that comes too late is an unknown outcome, resolved by looking', async () => {
  await psp.fault({ match: { path: everyPath.confirm }, kind: 'delay', delayMs: 2_000 });
  const order = paymentOrder();
  await expect(hold(order)).rejects.toThrow();
  // The first confirm still runs: its key is taken, and nobody may make a second hold.
  await expect(hold(order)).rejects.toThrow();
  await eventually(async () => (await psp.openHolds(order.rideId)).length > 0 || undefined);
  expect(await hold(order)).toMatchObject({ charged: true });
  expect(await psp.openHolds(order.rideId)).toHaveLength(1);
});

test('a refund is remembered after the provider has forgotten its key', async () => {
  const order = paymentOrder();
  const held = await hold(order);
  if (!held.charged) throw new Error('not held');
  const { rideId } = order;
  await captureHold(access, { rideId, intentId: held.intentId, amountMinor: 1_500 });
  const refund = { rideId, intentId: held.intentId, refundKey: 'ops:1', part: 1, amountMinor: 400 };
  const given = await refundCapture(access, refund);
  psp.pass(25 * 60 * 60 * 1_000);
  expect(await refundCapture(access, refund)).toEqual(given);
  expect(await psp.movementsOf(rideId)).toHaveLength(2);
});

test('more than was captured is refused', async () => {
  const order = paymentOrder();
  const held = await hold(order);
  if (!held.charged) throw new Error('not held');
  const { rideId } = order;
  await captureHold(access, { rideId, intentId: held.intentId, amountMinor: 300 });
  const refund = { rideId, intentId: held.intentId, refundKey: 'ops:1', part: 1, amountMinor: 301 };
  expect(await refundCapture(access, refund)).toMatchObject({ refunded: false });
});

describe('what no repeat will change is for an operator', () => {
  // As the workflow hears it: a failure that is not tried again.
  const asked = () =>
    createPaymentActivities({ pool, vault: vaultInMemory(), provider: access.client }).provider;
  const held = async () => {
    const order = paymentOrder();
    await hold(order);
    return { rideId: order.rideId, intentId: await intentOf(order.rideId), amountMinor: order.amountMinor };
  };

  test('a capture of a hold that is gone', async () => {
    const order = await held();
    await voidHolds(access, order);
    await expect(asked().capture(order)).rejects.toMatchObject({ type: 'hold_gone', nonRetryable: true });
    expect(await psp.movementsOf(order.rideId)).toEqual([]);
  });

  test('a capture beyond the hold, which stays', async () => {
    const order = await held();
    const more = { ...order, amountMinor: order.amountMinor + 1 };
    await expect(asked().capture(more)).rejects.toMatchObject({
      type: 'capture_refused',
      nonRetryable: true,
    });
    expect(await psp.openHolds(order.rideId)).toHaveLength(1);
  });

  test('a capture that has taken another amount, and the release of a hold that was captured', async () => {
    const order = await held();
    await captureHold(access, order);
    const less = { ...order, amountMinor: order.amountMinor - 1 };
    await expect(asked().capture(less)).rejects.toMatchObject({
      type: 'captured_otherwise',
      nonRetryable: true,
    });
    await expect(asked().voidHold(order.rideId)).rejects.toMatchObject({
      type: 'hold_captured',
      nonRetryable: true,
    });
    expect(await psp.movementsOf(order.rideId)).toEqual([['capture', order.amountMinor]]);
  });
});

test('nothing to release is no failure', async () => {
  expect(await voidHolds(access, paymentOrder())).toBeNull();
});
