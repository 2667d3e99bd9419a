import { WithStartWorkflowOperation } from '@temporalio/client';
import { paymentUpdates, paymentWorkflowId, workflowTypes } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { getPayment } from '../../services/payments/books/paymentStore';
import { refusalOf } from '../support/paymentSaga';
import { paymentOrder } from '../support/payments';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, sleep, captured, untilStatus, resultAfterWindow, factTypes, booked, rowAndFold } =
  {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, sleep, captured, untilStatus, resultAfterWindow, factTypes, booked, rowAndFold } =
    played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

test('what comes before the payment is opened is told to come again', async () => {
  const order = paymentOrder();
  const start = { order, policies: standardPolicies, rideWorkflowId: 'nobody' };
  const { client, taskQueue } = saga;
  const waiver = client.workflow.executeUpdateWithStart(paymentUpdates.waiveFee, {
    args: [{ reason: 'too early', by: 'operator-1' }],
    startWorkflowOperation: new WithStartWorkflowOperation(workflowTypes.payment, {
      workflowId: paymentWorkflowId(order.rideId),
      taskQueue,
      workflowIdConflictPolicy: 'FAIL',
      args: [start],
    }),
  });
  expect(await refusalOf(waiver)).toBe('payment_busy');
});

describe('a tip', () => {
  test('is a charge of its own, all of it for the driver, and given once', async () => {
    const rideId = await captured();
    expect(await saga.tip(rideId, 300)).toEqual({ tipMinor: 300, currency: 'USD' });
    expect(await saga.tip(rideId, 300)).toEqual({ tipMinor: 300, currency: 'USD' });
    expect(await refusalOf(saga.tip(rideId, 400))).toBe('tip_already_given');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500', 'tip 300']);
    expect(await booked(rideId)).toEqual({
      provider_clearing: 1_800,
      'driver_payable:driver-1': -1_500,
      platform_revenue: -300,
    });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('that is declined changes nothing, and can be given again', async () => {
    const rideId = await captured();
    provider.next('chargeTip', () => Promise.resolve({ charged: false, reason: 'generic_decline' }));
    expect(await refusalOf(saga.tip(rideId, 300))).toBe('tip_declined');
    expect(await factTypes(rideId)).not.toContain('payment.tip_charged');
    expect(await saga.tip(rideId, 300)).toEqual({ tipMinor: 300, currency: 'USD' });
    expect(await getPayment(pool, rideId)).toMatchObject({ tipMinor: 300 });
  });

  test('given before the capture is done waits for it', async () => {
    const answer = provider.late<'capture', void>('capture');
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await answer.asked;
    const tip = saga.tip(rideId, 300);
    answer.release();
    expect(await tip).toEqual({ tipMinor: 300, currency: 'USD' });
  });

  test('after the window is refused, while refunds are still taken', async () => {
    const rideId = await captured();
    await sleep(standardPolicies.tipWindowMs + 1_000);
    expect(await refusalOf(saga.tip(rideId, 300))).toBe('tip_not_possible');
    const order = { refundKey: 'ops:1', amountMinor: 100, reason: 'late' };
    expect(await saga.refund(rideId, order)).toMatchObject({ refundedMinor: 100 });
  });

  test.each([
    [0, 'tip_not_possible'],
    [-5, 'argument_not_valid'],
    [1.5, 'argument_not_valid'],
  ])('of %p is refused', async (amountMinor, code) => {
    const rideId = await captured();
    expect(await refusalOf(saga.tip(rideId, amountMinor))).toBe(code);
    expect(provider.asked(rideId)).toHaveLength(2);
  });
});

describe('a refund', () => {
  const order = { refundKey: 'ops:1', amountMinor: 600, reason: 'detour' };

  test('goes back once for each key, up to what was captured', async () => {
    const rideId = await captured();
    const first = await saga.refund(rideId, order);
    expect(first).toEqual({
      refundId: 're_refund_ops_1_1',
      amountMinor: 600,
      refundedMinor: 600,
      currency: 'USD',
    });
    expect(await saga.refund(rideId, order)).toEqual(first);
    expect(await refusalOf(saga.refund(rideId, { ...order, amountMinor: 1 }))).toBe('idempotency_key_reused');
    expect(await refusalOf(saga.refund(rideId, { ...order, refundKey: 'ops:2', amountMinor: 901 }))).toBe(
      'refund_not_possible',
    );
    const rest = { refundKey: 'ops:2', amountMinor: 900, reason: 'goodwill' };
    expect(await saga.refund(rideId, rest)).toMatchObject({ refundedMinor: 1_500 });
    expect(await refusalOf(saga.refund(rideId, { ...rest, refundKey: 'ops:3', amountMinor: 1 }))).toBe(
      'refund_not_possible',
    );
    expect(await booked(rideId)).toEqual({
      provider_clearing: 0,
      'driver_payable:driver-1': -1_200,
      platform_revenue: 1_200,
    });
    expect(await resultAfterWindow(rideId)).toBe('refunded');
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('two at once for more than was captured: one is refused', async () => {
    const rideId = await captured();
    const answers = await Promise.allSettled([
      saga.refund(rideId, { ...order, refundKey: 'ops:1', amountMinor: 1_000 }),
      saga.refund(rideId, { ...order, refundKey: 'ops:2', amountMinor: 1_000 }),
    ]);
    expect(answers.map((answer) => answer.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(provider.asked(rideId).filter((what) => what.startsWith('refund'))).toHaveLength(1);
  });

  test('before anything was captured is refused, and the same order is taken later', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    expect(await refusalOf(saga.refund(rideId, order))).toBe('refund_not_possible');
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await untilStatus(rideId, 'captured');
    expect(await saga.refund(rideId, order)).toMatchObject({ refundedMinor: 600 });
  });

  test('that the provider refuses is refused with its words', async () => {
    const rideId = await captured();
    provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
    expect(await refusalOf(saga.refund(rideId, order))).toBe('refund_not_possible');
    expect(await getPayment(pool, rideId)).toMatchObject({ refundedMinor: 0 });
  });
});
