import { ApplicationFailure } from '@temporalio/common';
import {
  operatorUpdates,
  paymentUpdates,
  paymentWorkflowId,
  type rideUpdates,
  rideWorkflowId,
} from '../../domain/names';
import type { Policies } from '../../domain/policies';
import { requestOf } from '../../domain/requestChange';
import type { RideRequest } from '../../domain/ride';
import type { ProviderActivities } from '../../activities/payments';
import { held } from '../support/playedProvider';
import { eventually, type RideSaga } from '../support/rideSaga';

/** Takes a ride to its end, or to where it ends by itself; the answer is its id. */
export type Way = (saga: RideSaga) => Promise<string>;
/** What somebody does on the way, or what goes wrong there. */
export type Move = (saga: RideSaga, rideId: string) => Promise<unknown>;

export const way =
  (begins: Way, ...moves: readonly Move[]): Way =>
  async (saga) => {
    const rideId = await begins(saga);
    for (const move of moves) await move(saga, rideId);
    return rideId;
  };

/** A history is recorded when ride and payment are over: times in which nothing more happens are short. */
export const quick: Partial<Policies> = {
  ...{ tipWindowMs: 200, refundWindowMs: 200, searchPauseMs: 100 },
  providerPatienceSeconds: 0,
};
/** Long enough for tips and refunds. */
export const longAfter: Partial<Policies> = { tipWindowMs: 4_000, refundWindowMs: 4_000 };

/** Requested and paid for. */
export const matching =
  (
    policies: Partial<Policies> = {},
    method: 'card' | 'cash' = 'card',
    more: Partial<RideRequest> = {},
  ): Way =>
  async (saga) => {
    const request = method === 'cash' ? { ...more, paymentMethod: { type: 'cash' } as const } : more;
    saga.nearby.length = 0;
    const rideId = await saga.request(request, { ...quick, ...policies });
    await saga.until(rideId, (ride) => ride.status === 'matching');
    return rideId;
  };

/** When its pickup is here, it is near. */
const onTheDot: Partial<Policies> = { scheduleMinAheadMs: 1, scheduleLeadMs: 0 };

/** Requested for later, which has not come. */
export const scheduled: Way = (saga) => saga.schedule(3_600_000, { ...quick, ...onTheDot });
/** Requested for later, which has come. */
export const released: Way = async (saga) => {
  const rideId = await saga.schedule(1_500, { ...quick, ...onTheDot });
  await begun(saga, rideId);
  return rideId;
};
/** The same, but the database does not answer when it is due: its workflow looks whether it is stuck. */
export const releasedLate: Way = (saga) => {
  saga.before.release = slow;
  return released(saga);
};
export const begun: Move = (saga, rideId) => saga.until(rideId, (ride) => ride.status === 'matching');
export const movedToNow: Move = async (saga, rideId) => {
  const scheduledFor = new Date(Date.now() + 1_500).toISOString();
  const request = { ...requestOf(await saga.ride(rideId)), scheduledFor };
  return saga.waiting(rideId).executeUpdate('reschedule', { args: [{ request }] });
};
export const cancelledWaiting =
  (by: 'rider' | 'operator'): Move =>
  (saga, rideId) =>
    saga.waiting(rideId).executeUpdate('cancel', { args: [{ by, reason: 'changed_mind' }] });
export const waitCancelled: Move = (saga, rideId) => saga.waiting(rideId).cancel();

const declined = () => Promise.resolve({ charged: false as const, reason: 'card_declined' });

export const unpaid: Way = (saga) => {
  saga.provider.next('authorize', declined);
  return saga.request({}, quick);
};

export const cancelledBeforePaid: Way = async (saga) => {
  const late = held<{ charged: true; intentId: string }>();
  saga.provider.next('authorize', () => late.promise);
  const rideId = await saga.request({}, quick);
  await late.asked;
  await cancelled('rider')(saga, rideId);
  late.release({ charged: true, intentId: `pi_${rideId}` });
  return rideId;
};

let people = 0;
const newDriver = async (saga: RideSaga): Promise<string> => {
  const driverId = `driver-${(people += 1)}`;
  saga.nearby.length = 0;
  await saga.drivers(driverId);
  return driverId;
};

export const offered: Move = async (saga) => saga.offerTo(await newDriver(saga));
export const declinedByOne: Move = async (saga) => saga.decline(await newDriver(saga));
export const accepted =
  (send = { update: true }): Move =>
  async (saga, rideId) => {
    await saga.accept(await newDriver(saga), send);
    await saga.until(rideId, (ride) => ride.status === 'assigned');
  };

/** An Update of the ride, in the name of its driver. */
export const act =
  (name: keyof typeof rideUpdates, more: object = {}): Move =>
  async (saga, rideId) => {
    const { driverId } = await saga.ride(rideId);
    return saga.update(rideId, name, { driverId, ...more });
  };
export const arrived = act('arrive');
export const started = act('start');
export const givenBack = act('unassign', { reason: 'flat_tyre' });
export const driven: Move = async (saga, rideId) => {
  await arrived(saga, rideId);
  await drivenFromPickup(saga, rideId);
};
export const drivenFromPickup: Move = async (saga, rideId) => {
  await started(saga, rideId);
  await act('complete')(saga, rideId);
};
export const twoStops: Partial<RideRequest> = {
  stops: [
    { lat: 40.74, lng: -73.98 },
    { lat: 40.75, lng: -73.98 },
  ],
};
const changeId = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
/** The rider wants to go elsewhere, for this fare. */
export const routeProposed =
  (totalMinor: number): Move =>
  async (saga, rideId) => {
    const { stops, dropoff, distanceMeters, durationSeconds } = await saga.ride(rideId);
    const fare = { currency: 'USD', totalMinor, lines: [{ kind: 'base' as const, amountMinor: totalMinor }] };
    const change = {
      ...{ changeId, stops, distanceMeters, durationSeconds, fare },
      dropoff: { ...dropoff, lat: dropoff.lat + 0.01 },
    };
    return saga.update(rideId, 'proposeRoute', { change });
  };
export const routeAccepted = act('acceptRoute', { changeId });
export const routeDeclined = act('declineRoute', { changeId });
export const routeUnpaid: Move = async (saga, rideId) => {
  saga.provider.next('raiseHold', () => Promise.resolve({ raised: false, reason: 'card_declined' }));
  await routeAccepted(saga, rideId).catch(() => undefined);
};
export const routeWithdrawn = act('withdrawRoute', { changeId });

/** Reserved for a driver who is under way with another ride. */
const reserved = async (saga: RideSaga): Promise<{ present: string; rideId: string }> => {
  const present = await matching()(saga);
  await accepted()(saga, present);
  await arrived(saga, present);
  await started(saga, present);
  const { driverId, pickup, dropoff } = await saga.ride(present);
  const rideId = await saga.request({ pickup: dropoff, dropoff: pickup }, quick);
  await saga.accept(driverId!);
  await saga.until(rideId, (ride) => ride.reservedDriverId === driverId);
  return { present, rideId };
};
/** Becomes that driver's when the other ride is over. */
export const next: Way = async (saga) => {
  const { present, rideId } = await reserved(saga);
  await act('complete')(saga, present);
  await saga.until(rideId, (ride) => ride.status === 'assigned');
  return rideId;
};
/** Is given up by that driver. */
export const nextGivenUp: Way = async (saga) => {
  const { present, rideId } = await reserved(saga);
  const { reservedDriverId: driverId } = await saga.ride(rideId);
  await saga.update(rideId, 'unassign', { driverId, reason: 'held_up' });
  await cancelled('operator')(saga, present);
  return rideId;
};

export const lowerFare = { totalMinor: 1_200, reason: 'detour' };
export const higherFare = { totalMinor: 2_500, reason: 'detour' };
export const byOperator = { reason: 'driver_lost_phone' };
export const early = (by: 'rider' | 'operator') => ({ by, reason: 'changed_mind', drivenMeters: 1_000 });
export const cancelled =
  (by: 'rider' | 'operator'): Move =>
  (saga, rideId) =>
    saga.update(rideId, 'cancel', { by, reason: 'changed_mind' });

const ofRide = (saga: RideSaga, rideId: string) => saga.client.workflow.getHandle(rideWorkflowId(rideId));
const ofPayment = (saga: RideSaga, rideId: string) =>
  saga.client.workflow.getHandle(paymentWorkflowId(rideId));

export const workflowCancelled: Move = (saga, rideId) => ofRide(saga, rideId).cancel();
export const paymentCancelled: Move = (saga, rideId) => ofPayment(saga, rideId).cancel();
export const paymentLost: Move = (saga, rideId) => ofPayment(saga, rideId).terminate('lost');

/** What the provider answers the next time, instead of the usual. */
export const provider = {
  fails: (call: keyof ProviderActivities): Move =>
    spoils(call, () => Promise.reject(new Error('connect ECONNREFUSED'))),
  refuses: (call: keyof ProviderActivities): Move =>
    spoils(call, () => Promise.reject(ApplicationFailure.nonRetryable('no such intent'))),
};
const spoils =
  (call: keyof ProviderActivities, answer: () => Promise<never>): Move =>
  (saga) =>
    Promise.resolve(saga.provider.next(call, answer));

/** Longer than a local activity may take. */
const slow = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 4_000));
/** The arrival is not recorded within a local activity's time: a regular one does it. */
export const databaseSlow: Move = (saga) => {
  saga.before.arrive = slow;
  return Promise.resolve();
};

/** An operator's word, once the saga waits for it. */
export const operatorSays =
  (update: keyof typeof operatorUpdates, of = ofRide): Move =>
  (saga, rideId) =>
    eventually(() =>
      of(saga, rideId)
        .executeUpdate(operatorUpdates[update])
        .then(
          () => true,
          () => undefined,
        ),
    );
export const parkedPayment = {
  isRetried: operatorSays('retryCompensation', ofPayment),
  isSkipped: operatorSays('skipCompensation', ofPayment),
};

const tip = { amountMinor: 200 };
export const tippedAndRefunded: Move = async (saga, rideId) => {
  await ofPayment(saga, rideId).executeUpdate(paymentUpdates.tip, { args: [tip] });
  const order = { refundKey: 'refund-1', amountMinor: 100, reason: 'detour', by: 'operator-1' };
  await ofPayment(saga, rideId).executeUpdate(paymentUpdates.refund, { args: [order] });
};
export const tipDeclined: Move = async (saga, rideId) => {
  saga.provider.next('chargeTip', declined);
  await ofPayment(saga, rideId)
    .executeUpdate(paymentUpdates.tip, { args: [tip] })
    .catch(() => undefined);
};
