import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { operatorUpdates, stepId } from '../../domain/names';
import type { Charged } from '../../domain/paymentCalls';
import type { PaymentFact } from '../../domain/paymentFacts';
import { getPayment } from '../../services/payments/books/paymentStore';
import { cardOf } from '../support/card';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
let {
  pool,
  provider,
  saga,
  transitions,
  sleep,
  untilStatus,
  untilHeard,
  untilAsked,
  untilEvent,
  factTypes,
  rowAndFold,
} = {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({
    pool,
    provider,
    saga,
    transitions,
    sleep,
    untilStatus,
    untilHeard,
    untilAsked,
    untilEvent,
    factTypes,
    rowAndFold,
  } = played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

describe('a cancel by an operator of Temporal', () => {
  const cancelled = async (rideId: string): Promise<void> => {
    await expect(saga.result(rideId)).rejects.toBeInstanceOf(WorkflowFailedError);
    expect((await saga.handle(rideId).describe()).status.name).toBe('CANCELLED');
  };

  test('releases the hold when the ride is gone', async () => {
    const rideId = await saga.open();
    await untilHeard(rideId);
    await saga.endRide(rideId);
    await saga.ride(rideId).result();
    await saga.handle(rideId).cancel();
    await cancelled(rideId);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'voided' });
  });

  test.each([
    [1_500, 'captured', 'capture 1500'],
    [0, 'voided', 'void'],
  ] as const)(
    'waits for a ride that goes on, which costs %s in the end',
    async (amountMinor, status, asked) => {
      const rideId = await saga.open();
      await untilHeard(rideId);
      await saga.handle(rideId).cancel();
      await eventually(
        async () => (await cardOf(saga.handle(rideId))).includes('which goes on: cancel that') || undefined,
      );
      expect(provider.asked(rideId)).toEqual(['authorize 1500']);
      await saga.rideEnded(rideId, { amountMinor, driverId: 'driver-1' });
      await cancelled(rideId);
      expect(provider.asked(rideId)).toEqual(['authorize 1500', asked]);
      expect(await getPayment(pool, rideId)).toMatchObject({ status });
    },
  );

  test('that meets the end of the ride charges what the ride says in its last moment', async () => {
    const rideId = await saga.open();
    await untilHeard(rideId);
    await saga.endRide(rideId);
    await saga.ride(rideId).result();
    saga.whileAskingForRide = () => saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await saga.handle(rideId).cancel();
    await cancelled(rideId);
    saga.whileAskingForRide = () => Promise.resolve();
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500']);
  });

  test('while the authorization is in flight: waits for it, releases, and tells the ride', async () => {
    const answer = provider.late<'authorize', Charged>('authorize');
    const rideId = await saga.open();
    await answer.asked;
    await saga.handle(rideId).cancel();
    await untilEvent(rideId, 'activityTaskCancelRequestedEventAttributes');
    expect(provider.asked(rideId)).toEqual(['authorize 1500']);
    answer.release({ charged: true, intentId: 'pi_1' });
    await cancelled(rideId);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
    expect(await saga.heard(rideId)).toEqual(['paymentDeclined: payment_cancelled']);
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('builds on what an attempt that was lost had committed', async () => {
    const answer = provider.late<'authorize', Charged>('authorize');
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
    await cancelled(rideId);
    expect(await factTypes(rideId)).toEqual(['payment.opened', 'payment.authorized', 'payment.voided']);
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('during the capture does not stop it, even while the provider is down', async () => {
    provider.next('capture', () => Promise.reject(new Error('connect ECONNREFUSED')));
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await untilAsked(rideId, 'capture 1500');
    await saga.handle(rideId).cancel();
    await untilEvent(rideId, 'workflowExecutionCancelRequestedEventAttributes');
    await sleep(60_000);
    await cancelled(rideId);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500', 'capture 1500']);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'captured' });
  });
});

test('a cancel by an operator of Temporal after the capture leaves the money where it is', async () => {
  const rideId = await played.captured();
  await saga.handle(rideId).cancel();
  await expect(saga.result(rideId)).rejects.toBeInstanceOf(WorkflowFailedError);
  expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500']);
  expect(await getPayment(pool, rideId)).toMatchObject({ status: 'captured', refundedMinor: 0 });
  const [row, folded] = await rowAndFold(rideId);
  expect(row).toEqual(folded);
});

describe('an attempt that was lost with its worker', () => {
  const committed = (...facts: PaymentFact[]) => played.committed({}, ...facts);
  const at = new Date().toISOString();
  const authorized: PaymentFact = {
    type: 'payment.authorized',
    at,
    data: { intentId: 'pi_1', amountMinor: 1_500, currency: 'USD' },
  };
  const types = ['payment.opened', 'payment.authorized'];

  test('had opened and authorized: the ride hears of the hold, which is captured at its end', async () => {
    const rideId = await saga.open(await committed(authorized));
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await untilStatus(rideId, 'captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500']);
    expect(await factTypes(rideId)).toEqual([...types, 'payment.captured']);
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('had declined: the ride hears why', async () => {
    const declined: PaymentFact = { type: 'payment.declined', at, data: { reason: 'card_declined' } };
    const order = await committed(declined);
    provider.next('authorize', () => Promise.resolve({ charged: false, reason: 'card_declined' }));
    const rideId = await saga.open(order);
    expect(await untilHeard(rideId)).toEqual(['paymentDeclined: card_declined']);
    expect(provider.asked(rideId)).toEqual(['authorize 1500']);
  });

  test('was not sure of the hold: what is known by now says so first', async () => {
    const unresolved = {
      type: 'payment.unresolved',
      data: { call: 'authorize', reason: 'timed_out' },
    } as const;
    const rideId = await saga.open(await committed({ ...unresolved, at }));
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    expect(await factTypes(rideId)).toEqual([
      'payment.opened',
      'payment.unresolved',
      'payment.resolved',
      'payment.authorized',
    ]);
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('had released the hold of a ride that was over: it is released once', async () => {
    const order = await committed(authorized, { type: 'payment.voided', at, data: { intentId: 'pi_1' } });
    const rideId = await saga.open(order);
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await saga.result(rideId)).toBe('voided');
    expect(await factTypes(rideId)).toEqual([...types, 'payment.voided']);
  });
});

describe('what the provider refuses for good', () => {
  const hopeless = () => Promise.reject(ApplicationFailure.nonRetryable('no such intent', 'capture_refused'));

  const untilParked = async (call: 'voidHold' | 'capture', amountMinor: number): Promise<string> => {
    provider.next(call, hopeless);
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, { amountMinor, driverId: 'driver-1' });
    await untilAsked(rideId, call === 'capture' ? `capture ${amountMinor}` : 'void');
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

  test('a release waits for an operator, who has it done again', async () => {
    const rideId = await untilParked('voidHold', 0);
    await operatorSays(rideId, operatorUpdates.retryCompensation);
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void', 'void']);
  });

  test('a release is settled by hand where an operator says so', async () => {
    const rideId = await untilParked('voidHold', 0);
    await operatorSays(rideId, operatorUpdates.skipCompensation);
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void']);
  });

  test('a capture waits for an operator, who has it done again', async () => {
    const rideId = await untilParked('capture', 1_500);
    await operatorSays(rideId, operatorUpdates.retryCompensation);
    await untilStatus(rideId, 'captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500', 'capture 1500']);
    expect(await factTypes(rideId)).toEqual(['payment.opened', 'payment.authorized', 'payment.captured']);
  });
});
