import { randomUUID } from 'node:crypto';
import { storeEvidence } from '../../services/payments/books/disputeStore';
import { readDispute, submitEvidence } from '../../services/payments/provider/disputes';
import { captureHold, voidHolds } from '../../services/payments/provider/holds';
import { chargeCard } from '../../services/payments/provider/intents';
import { refundCapture } from '../../services/payments/provider/refunds';
import { returnedOf, transfer } from '../../services/payments/provider/transfers';
import { openPayment, paymentOrder, untilAnswered } from '../support/payments';
import { startProviderGround, type ProviderGround } from '../support/providerGround';

/** What no repeat would change is an answer, and nothing is asked for without end. */

let { pool, psp, access, stop } = {} as ProviderGround;

beforeAll(async () => void ({ pool, psp, access, stop } = await startProviderGround()));

afterAll(() => stop?.());

const payout = (changes: { amountMinor?: number; destination?: string } = {}) => ({
  ...{ payoutId: randomUUID(), driverId: 'driver-1', period: '2026-W09', destination: 'acct_12345678' },
  ...{ amountMinor: 1_000, currency: 'USD', ...changes },
});

describe('what the provider does not know', () => {
  test('a dispute is none of ours', async () => {
    expect(await readDispute(access, 'du_none')).toBeNull();
  });

  test('evidence in it is refused', async () => {
    const [disputeId, evidenceId] = ['du_none', 'evidence-1'];
    await pool.query(
      `insert into disputes (dispute_id, ride_id, version, state) values ($1, $2, 1, '{"status": "needs_response"}')`,
      [disputeId, randomUUID()],
    );
    await storeEvidence(pool, { disputeId, evidenceId, text: 'the rider was on board' });
    const order = { rideId: randomUUID(), disputeId, evidenceId };
    expect(await submitEvidence(access, order)).toEqual({ submitted: false, reason: 'resource_missing' });
  });

  test('nothing of a transfer has come back', async () => {
    expect(await returnedOf(access, { transferId: 'tr_none', currency: 'USD' })).toBe(0);
  });
});

test.each([
  ['another amount', { amountMinor: 900 }],
  ['another account', { destination: 'acct_87654321' }],
])('a transfer of %s is not taken for the one that was asked for', async (_, otherwise) => {
  await psp.post('/sandbox/funds', { amount: 2_000, currency: 'usd' });
  const order = payout();
  expect(await transfer(access, { ...order, ...otherwise })).toMatchObject({ transferred: true });
  expect(await transfer(access, order)).toEqual({ transferred: false, reason: 'transferred_otherwise' });
});

/** The code of before has used the key of a step for another request. */
describe('a key that was used otherwise', () => {
  const used = (idempotencyKey: string) => psp.stripe.customers.create({}, { idempotencyKey });
  const hold = async (order = paymentOrder()) => {
    const { rideId, amountMinor, currency } = await openPayment(pool, order);
    const ref = { paymentId: rideId, purpose: 'hold', intentVersion: 1 } as const;
    return chargeCard(access, { ref, amountMinor, currency, paymentMethod: 'pm_card_visa' });
  };
  const held = async () => {
    const order = paymentOrder();
    const answer = await hold(order);
    if (!answer.charged) throw new Error(answer.reason);
    return { rideId: order.rideId, intentId: answer.intentId, amountMinor: order.amountMinor };
  };
  const refused = { reason: 'idempotency_error' };

  test('holds by another one', async () => {
    const order = paymentOrder();
    await used(`${order.rideId}/authorize/1/confirm`);
    await expect(hold(order)).rejects.toThrow('idempotent');
    expect(await hold(order)).toMatchObject({ charged: true });
  });

  test('releases by another one', async () => {
    const order = await held();
    await used(`${order.rideId}/void/1`);
    expect(await untilAnswered(() => voidHolds(access, order), 2)).toBe(order.intentId);
  });

  test('is an operator’s at a capture, who has it done then', async () => {
    const order = await held();
    await used(`${order.rideId}/capture/1`);
    await expect(captureHold(access, order)).rejects.toMatchObject({ code: 'capture_refused' });
    await captureHold(access, order);
  });

  test('sends nothing a second time: a refund and a transfer are refused', async () => {
    const order = await held();
    await captureHold(access, order);
    await used(`${order.rideId}/refund/excess`);
    const refund = { ...order, refundKey: 'excess', amountMinor: 100 };
    expect(await refundCapture(access, refund)).toEqual({ refunded: false, ...refused });
    const due = payout();
    await used(`${due.payoutId}/transfer/1`);
    expect(await transfer(access, due)).toEqual({ transferred: false, ...refused });
  });
});
