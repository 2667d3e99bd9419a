import type { RefundAsked } from '../../domain/paymentCalls';
import { captureHold } from '../../services/payments/provider/holds';
import { chargeCard } from '../../services/payments/provider/intents';
import { raiseHold } from '../../services/payments/provider/raiseHold';
import { refundCapture } from '../../services/payments/provider/refunds';
import { openPayment, untilAnswered } from '../support/payments';
import { startProviderGround, type ProviderGround } from '../support/providerGround';

let { pool, psp, access, stop } = {} as ProviderGround;

beforeAll(async () => void ({ pool, psp, access, stop } = await startProviderGround()));
afterAll(() => stop?.());

async function held(token = 'pm_card_visa'): Promise<{ rideId: string; intentId: string }> {
  const { rideId, amountMinor, currency } = await openPayment(pool);
  const ref = { paymentId: rideId, purpose: 'hold', intentVersion: 1 } as const;
  const answer = await chargeCard(access, { ref, amountMinor, currency, paymentMethod: token });
  if (!answer.charged) throw new Error('not held');
  return { rideId, intentId: answer.intentId };
}

/** A refund of 4 of 15 dollars that were taken. */
async function refundOf(token?: string): Promise<RefundAsked> {
  const order = await held(token);
  await captureHold(access, { ...order, amountMinor: 1_500 });
  return { ...order, refundKey: 'ops:1', part: 1, amountMinor: 400 };
}

const refundsAt = async ({ intentId }: RefundAsked) =>
  (await psp.stripe.refunds.list({ payment_intent: intentId, limit: 100 })).data;

test('each part of each key is a refund of its own, whatever callers type into their keys', async () => {
  const refund = await refundOf();
  // What was a repeat with another key once, or the second part, must not be taken for one of these.
  await psp.fault({ match: { method: 'POST', path: '/v1/refunds' }, kind: 'error500_after', times: 1 });
  for (const refundKey of ['ops:1', 'ops:1/2', 'ops:1#2', 'ops:1/1'])
    for (const part of [1, 2])
      await untilAnswered(() => refundCapture(access, { ...refund, refundKey, part, amountMinor: 100 }));
  expect((await refundsAt(refund)).map(({ amount }) => amount)).toEqual(Array<number>(8).fill(100));
});

test('a payment that began before refunds had parts finds what it asked for', async () => {
  const { part: _, ...before } = await refundOf();
  const { rideId, intentId, refundKey, amountMinor: amount } = before;
  const metadata = { rideId, step: 'refund', refundKey };
  const { id } = await psp.stripe.refunds.create({ payment_intent: intentId, amount, metadata });
  expect(await refundCapture(access, before)).toEqual({ refunded: true, refundId: id });
  expect(await refundsAt(before)).toHaveLength(1);
});

test('what a caller types stays in the house', async () => {
  const refund = await refundOf();
  await refundCapture(access, { ...refund, refundKey: 'for Jane Roe' });
  const [given] = await refundsAt(refund);
  expect(given!.metadata).toEqual({
    ...{
      rideId: refund.rideId,
      step: 'refund',
      part: '1',
      refundKey: expect.stringMatching(/^[0-9a-f]{32}$/),
    },
  });
});

test('a refund of another amount under the key is not taken for this one, and nothing moves', async () => {
  const refund = await refundOf();
  await refundCapture(access, refund);
  const answer = await refundCapture(access, { ...refund, amountMinor: 500 });
  expect(answer).toEqual({ refunded: false, reason: 'refunded_otherwise' });
  expect(await refundsAt(refund)).toHaveLength(1);
});

test('a refund that has failed before its answer was heard has given nothing back', async () => {
  const refund = await refundOf('pm_card_refundFail');
  await refundCapture(access, refund);
  psp.pass(6 * 60_000);
  expect(await refundCapture(access, refund)).toEqual({ refunded: false, reason: 'refund_failed' });
});

test('a refusal is told by its code, and is not kept for when the same would be taken', async () => {
  const order = await held();
  const capture = { ...order, amountMinor: 2_000 };
  await expect(captureHold(access, capture)).rejects.toMatchObject({ code: 'capture_refused' });
  await raiseHold(access, { ...order, changeId: 'change-1', toMinor: 2_000 });
  await captureHold(access, capture);
  const refund = { ...order, refundKey: 'ops:1', part: 1, amountMinor: 2_001 };
  expect(await refundCapture(access, refund)).toEqual({ refunded: false, reason: 'amount_refused' });
});
