import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type { PaymentMessages } from '../activities/messages';
import { money } from '../domain/money';
import { paymentSignals, providerNews } from '../domain/names';
import type { PaymentStatus } from '../domain/payment';
import { standardPolicies } from '../domain/policies';
import type { PaymentMethod } from '../domain/ride';
import type { Authorization, PaymentStart, ProviderNews } from '../domain/sagas';
import type { RideOutcome } from '../domain/settlement';
import { Adjustments } from './adjustments';
import { Charging } from './charging';
import { Compensations } from './compensation';
import { Doubts } from './doubts';
import { Holds } from './holds';
import { answerOperators } from './paymentOperators';
import { PaymentRecord } from './paymentRecord';
import { createProvider } from './provider';
import { Refunds } from './refunds';
import { takenOtherwise } from './refusal';
import { Settled } from './settled';
import { ownDatabase } from './steps';
import { Tips } from './tips';

/**
 * A ride's payment: authorized, and when the ride has ended captured or released; then tips, refunds and what an
 * operator adjusts while their time lasts. It outlives its ride.
 */
export async function payment({ order, rideWorkflowId, ...start }: PaymentStart): Promise<PaymentStatus> {
  const { rideId, currency } = order;
  // A ride that began before something was a policy does not have it.
  const policies = { ...standardPolicies, ...start.policies };
  let outcome: RideOutcome | undefined;
  let rideWaits = true;
  const record = new PaymentRecord(rideId, policies);
  const { operators } = record;
  const doubts = new Doubts(record, policies);
  const provider = createProvider(record, doubts);
  const messages = ownDatabase<PaymentMessages>({
    onTrouble: (step, error) => operators.failed(step, error),
  });
  const compensations = new Compensations((parked) => operators.park(parked));
  const holds = new Holds(record, policies, provider, compensations, () => outcome?.amountMinor === 0);
  const settled = new Settled(record, policies);
  const refunds = new Refunds(settled, provider);
  const charging = new Charging(settled, provider, refunds, compensations);
  new Tips(settled, provider);
  new Adjustments(settled, provider, refunds);
  answerOperators(record, { doubts, compensations, refunds, lookAtHold: () => holds.look() });
  setHandler(defineSignal<[RideOutcome]>(paymentSignals.rideEnded), (ended) => void (outcome ??= ended));
  setHandler(defineSignal(paymentSignals.holdAges), () => holds.look());
  // Whatever the news say, they only have the provider looked at: it has one truth, however often it is told.
  setHandler(defineSignal<[ProviderNews]>(providerNews), (news) => {
    holds.look();
    doubts.tryNow();
    return refunds.hear(news);
  });

  await record.add('payment.opened', order);
  try {
    // Registered before the call: a hold whose answer was lost may have come about.
    compensations.add('release the hold', releaseHold, {
      means: 'it counts as released; see to that at the provider first',
      does: async () => void (await record.add('payment.voided', { intentId: record.payment.intentId })),
    });
    await holds.authorize(order);
    if (record.is('failed')) compensations.clear();
    // The steps above go to their end whoever cancels; a ride must not be told of a hold that is about to go.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
    await CancellationScope.nonCancellable(tellRide);
    if (!record.is('failed')) {
      await rideToEnd();
      await CancellationScope.nonCancellable(() => settle(outcome!));
      await settled.window();
    }
  } catch (error) {
    await compensations.run();
    await CancellationScope.nonCancellable(async () => {
      await tellRide();
      await allAtRest();
    });
    // The last call in flight may have failed with its own words: what ended the payment is the cancel.
    throw CancellationScope.current().consideredCancelled ? new CancelledFailure('cancelled') : error;
  }
  operators.waits('nothing: the payment is over');
  await allAtRest();
  return record.payment.status;

  /** A ride that goes on counts on its payment: whoever cancels that, the ride's end decides what becomes of it. */
  async function rideToEnd(): Promise<void> {
    try {
      await untilRideEnds('the ride to end');
    } catch (error) {
      if (!isCancellation(error)) throw error;
      if (await CancellationScope.nonCancellable(rideIsGone)) throw error;
      await CancellationScope.nonCancellable(() =>
        untilRideEnds('the ride to end, which goes on: cancel that'),
      );
    }
  }

  async function untilRideEnds(waitsFor: string): Promise<void> {
    while (outcome === undefined) {
      operators.waits(waitsFor);
      await condition(() => outcome !== undefined || holds.wantLook);
      if (outcome === undefined) await mustHaveRide();
      if (outcome === undefined) await holds.renew();
    }
  }

  /** A ride that is over has told how it ended before: its signal may be here with the next task only. */
  async function rideIsGone(): Promise<boolean> {
    if (await messages.rideGoesOn(rideWorkflowId)) return false;
    return !(await condition(() => outcome !== undefined, 1_000, { summary: 'hear how the ride ended' }));
  }

  /** One whose workflow was terminated says nothing any more: for such a ride nobody's money is held anew. */
  async function mustHaveRide(): Promise<void> {
    const ask = async (): Promise<void> => {
      if (await rideIsGone()) throw new Error('its workflow is gone');
    };
    await compensations.insist('learn how the ride ended', ask, {
      skip: {
        means: 'the hold is released, and the ride costs nothing',
        does: () => Promise.resolve(void (outcome ??= { amountMinor: 0, driverId: null })),
      },
      until: () => outcome !== undefined,
    });
  }

  /** The ride waits for this once. One that has ended meanwhile does not, and one that is gone is no failure. */
  async function tellRide(): Promise<void> {
    if (!rideWaits || outcome !== undefined) return;
    await messages.tellRide({ rideWorkflowId, authorization: authorization() });
    rideWaits = false;
  }

  function authorization(): Authorization {
    const { method, failureReason } = record.payment;
    if (!record.is('authorized', 'cash_due'))
      return { authorized: false, reason: failureReason ?? 'payment_cancelled' };
    return sameMethod(method, order.method) ? { authorized: true } : { authorized: true, method };
  }

  async function settle(ended: RideOutcome): Promise<void> {
    await holds.close();
    if (ended.amountMinor === 0) return compensations.run();
    compensations.clear();
    await charging.settle(ended);
    await holds.leftNothing();
  }

  /** Tolerates that nothing is held: not asked for yet, declined, or released before. What was taken goes back. */
  async function releaseHold(): Promise<void> {
    await holds.close();
    const summary = `Release the hold of ${money(record.payment.amountMinor, currency)}`;
    try {
      // A ride that fell back to cash has asked for holds before.
      const intentId = order.method.type === 'cash' ? null : await provider.voidHold(summary, rideId);
      await record.add('payment.voided', { intentId });
    } catch (error) {
      const taken = takenOtherwise(error);
      if (taken === undefined || !record.is('authorized')) throw error;
      operators.failed(summary, error);
      await charging.settleTaken({ amountMinor: 0, driverId: null }, taken);
    }
  }

  async function allAtRest(): Promise<void> {
    await holds.leftNothing();
    await condition(allHandlersFinished);
  }
}

const sameMethod = (one: PaymentMethod, other: PaymentMethod): boolean =>
  one.type === 'card' && other.type === 'card' ? one.token === other.token : one.type === other.type;
