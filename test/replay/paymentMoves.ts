import { ApplicationFailure } from '@temporalio/common';
import { paymentSignals, paymentUpdates, paymentWorkflowId, providerNews } from '../../domain/names';
import type { Charged } from '../../domain/paymentCalls';
import type { PaymentStatus } from '../../domain/payment';
import type { Policies } from '../../domain/policies';
import type { PaymentMethod } from '../../domain/ride';
import type { Refund } from '../../domain/sagas';
import { eventually, type RideSaga } from '../support/rideSaga';
import { quick, type Move, type Way } from './moves';

const ofPayment = (saga: RideSaga, rideId: string) =>
  saga.client.workflow.getHandle(paymentWorkflowId(rideId));

const asksRider: Charged = { charged: false, reason: 'action_required', actionIntentId: 'pi_action' };
const declined: Charged = { charged: false, reason: 'insufficient_funds' };

/** Requested with a card that the provider answers so, one look after another. */
const requested =
  (answers: Charged[], fallbacks: PaymentMethod[] = [], policies: Partial<Policies> = {}): Way =>
  (saga) => {
    for (const answer of answers) saga.provider.next('authorize', () => Promise.resolve(answer));
    saga.nearby.length = 0;
    const more = fallbacks.length === 0 ? {} : { fallbackPaymentMethods: fallbacks };
    return saga.request(more, { ...quick, ...policies });
  };

export const matched: Move = (saga, rideId) => saga.until(rideId, ({ status }) => status === 'matching');
const isSo =
  (status: PaymentStatus): Move =>
  (saga, rideId) =>
    saga.untilPayment(rideId, status);

export const bank = {
  asks: requested([asksRider]),
  /** Sooner than anybody could look. */
  asksInVain: requested([asksRider, asksRider], [], { actionDeadlineMs: 300 }),
  isWaitedFor: isSo('action_required'),
  isAnswered: (async (saga, rideId) => {
    await isSo('action_required')(saga, rideId);
    const news = { eventId: 'evt_1', type: 'payment_intent.succeeded', objectId: 'pi_action' };
    await ofPayment(saga, rideId).signal(providerNews, news);
    await matched(saga, rideId);
  }) satisfies Move,
};

export const fallsBackToCash = requested([declined], [{ type: 'cash' }]);

/** What the provider answers from now on, so often. */
export const holdGone: Move = (saga) => {
  const gone = () => Promise.reject(ApplicationFailure.nonRetryable('hold is canceled', 'hold_gone'));
  return Promise.resolve(saga.provider.next('capture', gone));
};
export const cardDeclines: Move = (saga) =>
  Promise.resolve(saga.provider.next('collect', () => Promise.resolve(declined)));
/** Somebody has captured at the provider's own desk what the call is about: more than any fare here. */
export const takenByHand =
  (call: 'capture' | 'voidHold'): Move =>
  (saga) => {
    const code = call === 'capture' ? 'captured_otherwise' : 'hold_captured';
    const taken = { intentId: 'pi_by_hand', takenMinor: 99_000 };
    return Promise.resolve(
      saga.provider.next(call, (): Promise<never> =>
        Promise.reject(ApplicationFailure.nonRetryable('by hand', code, taken)),
      ),
    );
  };
export const tooSmallToCharge: Move = (saga) =>
  Promise.resolve(
    saga.provider.next('collect', () => Promise.resolve({ charged: false, reason: 'amount_too_small' })),
  );
/** The quick try, the first regular one, and the first of the next turn. */
export const captureLost: Move = (saga) => {
  for (let i = 0; i < 3; i += 1)
    saga.provider.next('capture', () => Promise.reject(new Error('socket hang up')));
  return Promise.resolve();
};
/** Until nobody asks any more. */
export const captureLostForGood: Move = (saga) => {
  for (let i = 0; i < 100; i += 1)
    saga.provider.next('capture', () => Promise.reject(new Error('socket hang up')));
  return Promise.resolve();
};
export const providerIsBack: Move = (saga) => Promise.resolve(saga.provider.isBack());

/** An operator's Update, once the payment takes it. */
const operator =
  (update: 'retryNow' | 'markResolved' | 'waiveFee' | 'adjustCharge', argument: object = {}): Move =>
  (saga, rideId) =>
    eventually(() =>
      ofPayment(saga, rideId)
        .executeUpdate(paymentUpdates[update], { args: [argument] })
        .then(
          () => true,
          () => undefined,
        ),
    );
const by = 'operator-1';
export const debt = {
  isRetried: operator('retryNow'),
  isWaived: operator('waiveFee', { reason: 'goodwill', by }),
};
export const doubt = {
  isSaid: isSo('unresolved'),
  isDenied: operator('markResolved', { outcome: 'did_not_happen', evidence: 'seen in the dashboard', by }),
  isResolved: operator('markResolved', { outcome: 'happened', evidence: 'seen in the dashboard', by }),
};
export const adjusted =
  (toMinor: number): Move =>
  async (saga, rideId) => {
    await isSo('captured')(saga, rideId);
    await operator('adjustCharge', { adjustmentKey: `to-${toMinor}`, toMinor, reason: 'detour', by })(
      saga,
      rideId,
    );
  };
/** Gone back to the rider, whose bank sends it back. */
export const refundFails: Move = async (saga, rideId) => {
  await isSo('captured')(saga, rideId);
  const refund = { refundKey: 'refund-1', amountMinor: 100, reason: 'detour', by };
  const { refundId } = await ofPayment(saga, rideId).executeUpdate<Refund, [object]>(paymentUpdates.refund, {
    args: [refund],
  });
  const data = { refundId, intentId: `pi_${rideId}`, amountMinor: 100, currency: 'USD', reason: 'unknown' };
  saga.provider.next('refundsThatDiffer', () => Promise.resolve([{ type: 'payment.refund_failed', data }]));
  const news = { eventId: 'evt_1', type: 'refund.failed', objectId: refundId };
  await ofPayment(saga, rideId).signal(providerNews, news);
};
/** A hold that is old as soon as it is made, and a ride that says so. */
export const shortHolds: Partial<Policies> = { ...quick, holdValidMs: 1 };
export const holdRenewed: Move = async (saga, rideId) => {
  await ofPayment(saga, rideId).signal(paymentSignals.holdAges);
  const renewed = (): true | undefined =>
    saga.provider.asked(rideId).includes('void hold 1') ? true : undefined;
  await eventually(() => Promise.resolve(renewed()));
};
