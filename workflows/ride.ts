import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { RideMessages } from '../activities/messages';
import { holdMinor } from '../domain/charge';
import { rideSignals, rideWorkflowId } from '../domain/names';
import { standardPolicies, type Policies } from '../domain/policies';
import type { PaymentMethod, RideStatus } from '../domain/ride';
import type { Authorization, PaymentStart, RideStart } from '../domain/sagas';
import { outcomeOf, type RideOutcome } from '../domain/settlement';
import { stuckFromMs } from '../domain/stuck';
import { Compensations } from './compensation';
import { match, type SearchNews } from './dispatch';
import { now } from './now';
import { fareChanges } from './atMost';
import { RideRecord } from './rideRecord';
import { answerRiderDriverAndOperator } from './rideUpdates';
import { RouteChanges } from './routeChanges';
import { ownDatabase } from './steps';

/** A ride, from its request to its end: requested, paid for, matched, driven, charged. */
export async function ride({ request, requestedAt, policies, released }: RideStart): Promise<RideStatus> {
  const { rideId } = request;
  const record = new RideRecord(rideId, policies);
  const messages = ownDatabase<RideMessages>({
    onTrouble: (step, error) => record.operators.failed(step, error),
  });
  const compensations = new Compensations((parked) => record.operators.park(parked));
  const search: SearchNews = { declinedRounds: new Set(), driverFreed: false };
  let authorization: Authorization | undefined;
  let heldSinceMs = Infinity;

  const fares = fareChanges();
  answerRiderDriverAndOperator(record, policies, fares);
  new RouteChanges(record, policies, fares);
  setHandler(
    defineSignal<[{ round: number }]>(rideSignals.offersDeclined),
    ({ round }) => void search.declinedRounds.add(round),
  );
  setHandler(defineSignal(rideSignals.driverFree), () => void (search.driverFreed = true));
  setHandler(
    defineSignal<[{ method?: PaymentMethod }?]>(rideSignals.paymentAuthorized),
    (held) => void (authorization = { authorized: true, ...held }),
  );
  setHandler(defineSignal<[{ reason: string }]>(rideSignals.paymentDeclined), ({ reason }) => {
    authorization = { authorized: false, reason };
  });

  watch(record, policies, tellOfOldHold);
  try {
    if (released) record.goOnFrom(released);
    else await record.apply({ type: 'request', at: requestedAt, request });
    await authorize();
    while (!record.hasEnded) {
      if (record.is('matching')) await match(record, search, policies);
      else await condition(() => record.hasEnded || record.is('matching'));
    }
  } catch (error) {
    // Nothing is left half done: driver and hold are freed, whoever or whatever ended the story.
    if (!record.isRecorded) throw error;
    const reason = isCancellation(error) ? 'workflow_cancelled' : 'saga_failed';
    await record.advance({ type: 'cancelByOperator', at: now(), reason });
  }
  await CancellationScope.nonCancellable(async () => {
    await settle();
    await condition(allHandlersFinished);
  });
  return record.ride.status;

  async function authorize(): Promise<void> {
    // Registered before the call: an authorization that timed out may have landed.
    compensations.add('release the hold', () => tellPayment({ amountMinor: 0, driverId: null }));
    // A cancel of the ride reaches the payment as the ride's last word, not as a cancel of its own.
    await CancellationScope.nonCancellable(() => messages.startPayment(paymentStart()));
    await condition(() => authorization !== undefined || record.hasEnded);
    if (authorization?.authorized) {
      const { method } = authorization;
      const paid = method ? { paymentMethod: method } : {};
      await record.advance({ type: 'startMatching', at: now(), ...paid });
      heldSinceMs = Date.now();
    } else if (authorization)
      await record.advance({ type: 'failPayment', at: now(), reason: authorization.reason });
  }

  /** The ride's last word to its payment: what the rider owes, or that nothing is owed and the hold goes. */
  async function settle(): Promise<void> {
    const outcome = outcomeOf(record.ride);
    if (outcome.amountMinor === 0) return compensations.run();
    compensations.clear();
    await compensations.insist('charge the rider', () => tellPayment(outcome));
  }

  /** A hold ends at the provider, however long its ride takes: the payment sees to it that there is one. */
  async function tellOfOldHold(): Promise<void> {
    const { holdValidMs } = { ...standardPolicies, ...policies };
    if (Date.now() - heldSinceMs < holdValidMs) return;
    heldSinceMs = Date.now();
    await messages.tellHoldAges({ rideId });
  }

  async function tellPayment(outcome: RideOutcome): Promise<void> {
    await messages.tellPayment({ rideId, outcome });
  }

  function paymentStart(): PaymentStart {
    const { riderId, paymentMethod, fallbackPaymentMethods: fallbacks, fare } = request;
    const order = {
      rideId,
      riderId,
      method: paymentMethod,
      ...(fallbacks && { fallbacks }),
      amountMinor: holdMinor(fare, policies),
      currency: fare.currency,
    };
    return { order, policies, rideWorkflowId: rideWorkflowId(rideId) };
  }
}

/**
 * Looks whether the ride waits longer than its state allows, for as long as the story lasts: after a while, and then
 * when its state has lasted too long. Each look is a timer and a workflow task, so most rides are over before one.
 * `whileHere` is what else is to be looked at then.
 */
function watch(record: RideRecord, policies: Policies, whileHere: () => Promise<void>): void {
  const summary = 'look whether the ride is stuck';
  const look = async (): Promise<never> => {
    for (let leftMs = policies.stuckCheckMs; ;) {
      await sleep(leftMs, { summary });
      record.operators.tell();
      await whileHere();
      const stuckInMs = (stuckFromMs(record.ride, policies) ?? 0) - Date.now();
      leftMs = stuckInMs > 0 ? stuckInMs : policies.stuckCheckMs;
    }
  };
  // Ended by the workflow's own end or cancel.
  look().catch(() => undefined);
}
