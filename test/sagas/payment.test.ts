import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createPaymentActivities, type PaymentTransitions } from '../../activities/payments';
import { operatorUpdates, stepId } from '../../domain/names';
import { foldPayment, type Charged, type Payment, type PaymentFact } from '../../domain/payment';
import { standardPolicies } from '../../domain/policies';
import { stepsOf } from '../../platform/outbox';
import type { Pool } from '../../platform/postgres';
import { balances } from '../../services/payments/ledger';
import { getPayment } from '../../services/payments/store';
import { paymentsDatabase, providerAccess } from '../support/payments';
import { refusalOf, startPaymentSaga, type PaymentSaga } from '../support/paymentSaga';
import { held, playedProvider, type PlayedProvider } from '../support/playedProvider';
import { eventually } from '../support/rideSaga';
import { timeSkippingEnvironment } from '../support/servers';

type IHistoryEvent = temporal.api.history.v1.IHistoryEvent;

jest.setTimeout(30_000);

let env: TestWorkflowEnvironment;
let pool: Pool;
let provider: PlayedProvider;
let saga: PaymentSaga;
let transitions: PaymentTransitions;

beforeAll(async () => {
  [env, pool] = await Promise.all([timeSkippingEnvironment(), paymentsDatabase()]);
  provider = playedProvider();
  ({ transitions } = createPaymentActivities({
    pool,
    provider: providerAccess(pool, 'http://127.0.0.1:1').client,
  }));
  saga = await startPaymentSaga({
    connection: env.connection,
    nativeConnection: env.nativeConnection,
    activities: { ...transitions, ...provider.activities },
  });
});
afterAll(async () => {
  await saga?.stop();
  await env?.teardown();
  await pool?.end();
});

beforeEach(() => provider.reset());

const untilStatus = (rideId: string, ...statuses: Payment['status'][]): Promise<Payment> =>
  eventually(async () => {
    const payment = await getPayment(pool, rideId);
    return payment && statuses.includes(payment.status) ? payment : undefined;
  });

const untilHeard = (rideId: string): Promise<string[]> =>
  eventually(async () => {
    const heard = await saga.heard(rideId);
    return heard.length > 0 ? heard : undefined;
  });

const factTypes = async (rideId: string): Promise<string[]> =>
  (await stepsOf<PaymentFact>(pool, rideId)).map((step) => step.factType);

const booked = async (rideId: string): Promise<Record<string, number>> =>
  Object.fromEntries((await balances(pool, rideId)).map((line) => [line.account, line.amountMinor]));

async function capturedPayment(policies = {}): Promise<string> {
  const rideId = await saga.open({}, policies);
  await untilStatus(rideId, 'authorized');
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await untilStatus(rideId, 'captured');
  return rideId;
}

const untilEvent = (rideId: string, attributes: keyof IHistoryEvent): Promise<true> =>
  eventually(async () => {
    const { events } = await saga.handle(rideId).fetchHistory();
    return events?.some((event) => event[attributes]) || undefined;
  });

/** How a payment ends once the time for tips and refunds is over. */
async function resultAfterWindow(rideId: string): Promise<string> {
  await untilStatus(rideId, 'captured', 'partially_refunded', 'refunded');
  await env.sleep(standardPolicies.refundWindowMs + 60_000);
  return saga.result(rideId);
}

/** Each test's payment is left with facts that fold to its row. */
async function foldsToItsRow(rideId: string): Promise<void> {
  const steps = await stepsOf<PaymentFact>(pool, rideId);
  const folded = steps.reduce<Payment | null>((payment, { fact }) => foldPayment(payment, fact), null);
  expect(await getPayment(pool, rideId)).toEqual(folded);
}

describe('by card', () => {
  test('is authorized, tells the ride, and is captured when the ride has ended', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500']);
    expect(await factTypes(rideId)).toEqual(['payment.opened', 'payment.authorized', 'payment.captured']);
    expect(await booked(rideId)).toEqual({
      provider_clearing: 1_500,
      'driver_payable:driver-1': -1_200,
      platform_revenue: -300,
    });
    await foldsToItsRow(rideId);
  });

  test('is captured in part where a fee is less than the fare; without a driver all is the platform’s', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 500, driverId: null });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 500']);
    expect(await booked(rideId)).toEqual({ provider_clearing: 500, platform_revenue: -500 });
  });

  test('is never captured beyond the hold', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 9_999, driverId: null });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500']);
    await foldsToItsRow(rideId);
  });

  test('is released when nothing is owed', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
    expect(await booked(rideId)).toEqual({});
    await foldsToItsRow(rideId);
  });

  test('that is declined tells the ride why, and is over', async () => {
    provider.next('authorize', () => Promise.resolve({ charged: false, reason: 'insufficient_funds' }));
    const rideId = await saga.open();
    expect(await saga.result(rideId)).toBe('failed');
    expect(await saga.heard(rideId)).toEqual(['paymentDeclined: insufficient_funds']);
    expect(provider.asked(rideId)).toEqual(['authorize 1500']);
    expect(await getPayment(pool, rideId)).toMatchObject({ failureReason: 'insufficient_funds' });
  });

  test('survives a ride that is gone when it is told', async () => {
    const answer = held<Charged>();
    provider.next('authorize', () => answer.promise);
    const rideId = await saga.open();
    await answer.asked;
    await saga.endRide(rideId);
    answer.release({ charged: true, intentId: 'pi_1' });
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await saga.result(rideId)).toBe('voided');
  });
});

describe('a ride that ends before its payment is authorized', () => {
  test('has its hold released, and is not told any more', async () => {
    const answer = held<Charged>();
    provider.next('authorize', () => answer.promise);
    const rideId = await saga.open();
    await answer.asked;
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    answer.release({ charged: true, intentId: 'pi_1' });
    expect(await saga.result(rideId)).toBe('voided');
    expect(await saga.heard(rideId)).toEqual([]);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
    await foldsToItsRow(rideId);
  });

  test('has its fee captured as soon as there is a hold', async () => {
    const answer = held<Charged>();
    provider.next('authorize', () => answer.promise);
    const rideId = await saga.open();
    await answer.asked;
    await saga.rideEnded(rideId, { amountMinor: 500, driverId: null });
    answer.release({ charged: true, intentId: 'pi_1' });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 500']);
  });
});

describe('in cash', () => {
  test('asks no provider: the driver owes the commission', async () => {
    const rideId = await saga.open({ method: { type: 'cash' } });
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    expect(await saga.result(rideId)).toBe('cash_settled');
    expect(provider.asked(rideId)).toEqual([]);
    expect(await booked(rideId)).toEqual({ 'driver_payable:driver-1': 300, platform_revenue: -300 });
    await foldsToItsRow(rideId);
  });

  test('is void where nothing is owed', async () => {
    const rideId = await saga.open({ method: { type: 'cash' } });
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual([]);
  });
});

describe('a provider that is down', () => {
  test('is asked again until it answers; the ride waits', async () => {
    const down = () => Promise.reject(new Error('connect ECONNREFUSED'));
    for (let i = 0; i < 12; i += 1) provider.next('authorize', down);
    const rideId = await saga.open();
    await eventually(() => Promise.resolve(provider.asked(rideId).length === 1 || undefined));
    expect(await saga.heard(rideId)).toEqual([]);
    await env.sleep('5 minutes');
    await untilStatus(rideId, 'authorized');
    expect(provider.asked(rideId)).toHaveLength(13);
    for (let i = 0; i < 12; i += 1) provider.next('capture', down);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await eventually(() => Promise.resolve(provider.asked(rideId).includes('capture 1500') || undefined));
    await env.sleep('5 minutes');
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_500 });
  });
});

describe('a tip', () => {
  test('is a charge of its own, all of it for the driver, and given once', async () => {
    const rideId = await capturedPayment();
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
    await foldsToItsRow(rideId);
  });

  test('sent twice at once is charged once', async () => {
    const rideId = await capturedPayment();
    const both = await Promise.all([saga.tip(rideId, 300), saga.tip(rideId, 300)]);
    expect(both).toEqual([
      { tipMinor: 300, currency: 'USD' },
      { tipMinor: 300, currency: 'USD' },
    ]);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500', 'tip 300']);
  });

  test('that is declined changes nothing, and can be given again', async () => {
    const rideId = await capturedPayment();
    provider.next('chargeTip', () => Promise.resolve({ charged: false, reason: 'generic_decline' }));
    expect(await refusalOf(saga.tip(rideId, 300))).toBe('tip_declined');
    expect(await factTypes(rideId)).not.toContain('payment.tip_charged');
    expect(await saga.tip(rideId, 300)).toEqual({ tipMinor: 300, currency: 'USD' });
    expect(await getPayment(pool, rideId)).toMatchObject({ tipMinor: 300 });
  });

  test('given before the capture is done waits for it', async () => {
    const answer = held<void>();
    provider.next('capture', () => answer.promise);
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await answer.asked;
    const tip = saga.tip(rideId, 300);
    answer.release();
    expect(await tip).toEqual({ tipMinor: 300, currency: 'USD' });
  });

  test('after the window is refused, while refunds are still taken', async () => {
    const rideId = await capturedPayment();
    await env.sleep(standardPolicies.tipWindowMs + 1_000);
    expect(await refusalOf(saga.tip(rideId, 300))).toBe('tip_not_possible');
    const order = { refundKey: 'ops:1', amountMinor: 100, reason: 'late' };
    expect(await saga.refund(rideId, order)).toMatchObject({ refundedMinor: 100 });
  });

  test.each([0, -5, 1.5])('of %p is refused', async (amountMinor) => {
    const rideId = await capturedPayment();
    expect(await refusalOf(saga.tip(rideId, amountMinor))).toBe('tip_not_possible');
    expect(provider.asked(rideId)).toHaveLength(2);
  });
});

describe('a refund', () => {
  const order = { refundKey: 'ops:1', amountMinor: 600, reason: 'detour' };

  test('goes back once for each key, up to what was captured', async () => {
    const rideId = await capturedPayment();
    const first = await saga.refund(rideId, order);
    expect(first).toEqual({ refundId: 're_ops:1', amountMinor: 600, refundedMinor: 600, currency: 'USD' });
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
    await foldsToItsRow(rideId);
  });

  test('two at once for more than was captured: one is refused', async () => {
    const rideId = await capturedPayment();
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
    const rideId = await capturedPayment();
    provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
    expect(await refusalOf(saga.refund(rideId, order))).toBe('refund_not_possible');
    expect(await getPayment(pool, rideId)).toMatchObject({ refundedMinor: 0 });
  });
});

describe('a cancel by an operator of Temporal', () => {
  const cancelled = async (rideId: string): Promise<void> => {
    await expect(saga.result(rideId)).rejects.toBeInstanceOf(WorkflowFailedError);
    expect((await saga.handle(rideId).describe()).status.name).toBe('CANCELLED');
  };

  test('releases the hold', async () => {
    const rideId = await saga.open();
    await untilHeard(rideId);
    await saga.handle(rideId).cancel();
    await cancelled(rideId);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'voided' });
  });

  test('while the authorization is in flight: waits for it, releases, and tells the ride', async () => {
    const answer = held<Charged>();
    provider.next('authorize', () => answer.promise);
    const rideId = await saga.open();
    await answer.asked;
    await saga.handle(rideId).cancel();
    await untilEvent(rideId, 'activityTaskCancelRequestedEventAttributes');
    expect(provider.asked(rideId)).toEqual(['authorize 1500']);
    answer.release({ charged: true, intentId: 'pi_1' });
    await cancelled(rideId);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
    expect(await saga.heard(rideId)).toEqual(['paymentDeclined: payment_cancelled']);
    await foldsToItsRow(rideId);
  });

  test('builds on what an attempt that was lost had committed', async () => {
    const answer = held<Charged>();
    provider.next('authorize', () => answer.promise);
    const rideId = await saga.open();
    await answer.asked;
    await saga.handle(rideId).cancel();
    await untilEvent(rideId, 'activityTaskCancelRequestedEventAttributes');
    // A worker had the answer, recorded it, and was killed before it could say so.
    const intentId = 'pi_1';
    await transitions.recordAuthorized({
      stepId: stepId(rideId, 'recordAuthorized', 1),
      aggregateId: rideId,
      expectedVersion: 1,
      fact: {
        type: 'payment.authorized',
        at: new Date().toISOString(),
        data: { intentId, amountMinor: 1_500, currency: 'USD' },
      },
    });
    answer.release(Promise.reject(ApplicationFailure.nonRetryable('connection lost')) as never);
    await expect(saga.result(rideId)).rejects.toBeInstanceOf(WorkflowFailedError);
    expect(await factTypes(rideId)).toEqual(['payment.opened', 'payment.authorized', 'payment.voided']);
    await foldsToItsRow(rideId);
  });

  test('during the capture does not stop it', async () => {
    const answer = held<void>();
    provider.next('capture', () => answer.promise);
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await answer.asked;
    await saga.handle(rideId).cancel();
    await untilEvent(rideId, 'workflowExecutionCancelRequestedEventAttributes');
    answer.release();
    await cancelled(rideId);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500']);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'captured' });
  });
});

describe('a release that cannot be done', () => {
  const hopeless = () => Promise.reject(ApplicationFailure.nonRetryable('no such intent'));

  const parkedPayment = async (): Promise<string> => {
    provider.next('voidHold', hopeless);
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    await eventually(() => Promise.resolve(provider.asked(rideId).includes('void') || undefined));
    return rideId;
  };
  const operatorSays = (rideId: string, update: string): Promise<unknown> =>
    eventually(() =>
      saga
        .handle(rideId)
        .executeUpdate(update)
        .then(
          () => true,
          () => undefined,
        ),
    );

  test('waits for an operator, who has it done again', async () => {
    const rideId = await parkedPayment();
    await operatorSays(rideId, operatorUpdates.retryCompensation);
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void', 'void']);
  });

  test('is left alone when an operator says so', async () => {
    const rideId = await parkedPayment();
    await operatorSays(rideId, operatorUpdates.skipCompensation);
    expect(await saga.result(rideId)).toBe('authorized');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
  });
});
