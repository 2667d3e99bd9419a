import type { Pool } from 'pg';
import { operations } from '../../contracts/api/operations';
import { cancellationFee } from '../../domain/cancellation';
import { decideRide } from '../../domain/decideRide';
import { DomainError } from '../../domain/errors';
import type { Policies } from '../../domain/policies';
import { hasEnded, type Ride } from '../../domain/ride';
import { CodedError } from '../../platform/errors';
import { openEventStream, type MountOperation } from '../../platform/http';
import { visibleRide } from './access';
import { promisedFeeMinor, signPreview } from './cancellationPreview';
import type { WhereIs } from './location';
import type { RequestRide } from './requestRide';
import type { Reschedule } from './reschedule';
import { endEarly, type Act, type RideAction } from './rideActions';
import type { RideFeed, RideNews } from './rideFeed';
import { peopleOf } from './people';
import { countCodeTry, startCodeFor } from './startCode';
import { viewRide, type Viewer } from './views';
import { approachMeters, drivenMeters, pickupDistanceMeters } from './whereabouts';

export interface RideRoutesOptions {
  readonly pool: Pool;
  readonly requestRide: RequestRide;
  readonly act: Act;
  readonly reschedule: Reschedule;
  readonly feed: RideFeed;
  readonly whereIs: WhereIs;
  readonly policies: Policies;
  /** Of the start codes, and of what a preview promises. */
  readonly codeSecret: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Rides for riders, drivers and operators. */
export function rideRoutes(mount: MountOperation, options: RideRoutesOptions): void {
  const { pool, requestRide, reschedule, act, feed, whereIs, policies, codeSecret, now } = options;
  const rideNow = (ride: Ride, viewer: Viewer) => ({ status: 200, body: viewRide(ride, viewer, codeSecret) });

  mount(operations.requestRide, async ({ body, headers, caller }) => {
    const answer = await requestRide({ riderId: caller.sub, key: headers['idempotency-key'], body });
    return { status: 201, headers: { Location: `/v1/rides/${answer.rideId}` }, body: answer };
  });

  mount(operations.getRide, async ({ params, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const people = await peopleOf(pool, ride, caller);
    return { status: 200, body: { ...viewRide(ride, caller, codeSecret), ...people } };
  });

  mount(operations.rescheduleRide, async ({ params, body, caller }) =>
    rideNow(await reschedule(await visibleRide(pool, params.rideId, caller), body), caller),
  );

  mount(operations.rideEvents, async ({ params, headers, caller, req, res }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const seen = headers['last-event-id'] ?? 0;
    if (seen > ride.version) throw neverSent(seen);
    // Tells an EventSource that there is nothing to come back for.
    if (hasEnded(ride) && seen === ride.version) return { status: 204 };
    const stream = openEventStream(req, res);
    stream.onEnd(
      feed.follow(ride.rideId, seen, (news) => {
        const { version, fact } = news;
        const data = { version, type: fact.type, at: fact.at, ride: viewRide(news.ride, caller, codeSecret) };
        stream.send({ id: String(version), event: fact.type, data });
        if (hasEnded(news.ride) || isSentAway(caller, news)) stream.close();
      }),
    );
    return undefined;
  });

  mount(operations.cancelRide, async ({ params, body, caller }) => {
    const { rideId } = params;
    if (caller.role === 'driver') {
      return rideNow(
        await act(await rideOfDriver(pool, rideId, caller), giveBack(caller.sub, body.reason)),
        caller,
      );
    }
    const ride = await visibleRide(pool, rideId, caller);
    const fee = caller.role === 'rider' ? await feeTerms(ride, body.previewToken) : {};
    return rideNow(await act(ride, cancelAs(caller, body.reason, fee)), caller);
  });

  /** What the fee of a rider's cancel depends on beside the ride. Never fails: a cancel is not blocked by anything. */
  const feeTerms = async (ride: Ride, previewToken: string | undefined) => ({
    approachMeters: await approachMeters(pool, ride, whereIs),
    agreedFeeMinor: await promisedFeeMinor(codeSecret, previewToken, ride.rideId, now()),
  });

  mount(operations.previewCancellation, async ({ params, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const at = new Date(now()).toISOString();
    const meters = await approachMeters(pool, ride, whereIs);
    // Refuses where the cancel would.
    decideRide({ type: 'cancelByRider', at, reason: 'preview' }, ride, policies);
    const { feeMinor, why } = cancellationFee(ride, { by: 'rider', at, approachMeters: meters }, policies);
    const { token: previewToken, expiresAt } = await signPreview(codeSecret, { ...ride, feeMinor }, now());
    const { currency } = ride.fare;
    return { status: 200, body: { rideId: ride.rideId, feeMinor, currency, why, previewToken, expiresAt } };
  });

  mount(operations.endRide, async ({ params, body, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const reason = body.reason ?? 'ended_by_rider';
    const end = { by: 'rider', reason, drivenMeters: await drivenMeters(ride, whereIs) } as const;
    return rideNow(await act(ride, endEarly(end)), caller);
  });

  mount(operations.start, async ({ params, body, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const start = driverActions.start(caller.sub);
    const isRight = body.code === startCodeFor(codeSecret, ride.rideId);
    const isRepeat = isRight && start.isDone(ride);
    if (!isRepeat) await countCodeTry(pool, { rideId: ride.rideId, driverId: caller.sub, isRight });
    return rideNow(await act(ride, start), caller);
  });

  mount(operations.arrive, async ({ params, body, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const arrive = driverActions.arrive(caller.sub);
    const distance = arrive.isDone(ride)
      ? null
      : await pickupDistanceMeters(ride, whereIs, body.position, policies.quotedSecondMs);
    const argument = { ...arrive.argument, pickupDistanceMeters: distance };
    return rideNow(await act(ride, { ...arrive, argument }), caller);
  });

  for (const name of ['complete', 'reportNoShow'] as const) {
    mount(operations[name], async ({ params, caller }) => {
      const ride = await visibleRide(pool, params.rideId, caller);
      return rideNow(await act(ride, driverActions[name](caller.sub)), caller);
    });
  }
}

type DriverAction = (driverId: string) => RideAction & { readonly isDone: (ride: Ride) => boolean };

const driverActions: Record<'arrive' | 'start' | 'complete' | 'reportNoShow', DriverAction> = {
  arrive: (driverId) => ({
    update: 'arrive',
    argument: { driverId },
    isDone: (ride) => ride.driverId === driverId && ride.arrivedAt !== null,
  }),
  start: (driverId) => ({
    update: 'start',
    argument: { driverId },
    isDone: (ride) => ride.driverId === driverId && ride.startedAt !== null,
  }),
  complete: (driverId) => ({
    update: 'complete',
    argument: { driverId },
    isDone: (ride) => ride.driverId === driverId && ride.status === 'completed',
  }),
  reportNoShow: (driverId) => ({
    update: 'reportNoShow',
    argument: { driverId },
    isDone: (ride) => ride.driverId === driverId && ride.endReason === 'no_show',
  }),
};

/** A driver's cancel gives the ride back to matching. */
const giveBack = (driverId: string, reason = 'driver_cancelled'): RideAction => ({
  update: 'unassign',
  argument: { driverId, reason },
  isDone: (ride) => ride.excludedDriverIds.includes(driverId),
});

/** Anybody else's ends it. */
function cancelAs({ role }: Viewer, given: string | undefined, fee: object): RideAction {
  const by = role === 'rider' ? 'rider' : 'operator';
  const reason = given ?? (by === 'rider' ? 'changed_mind' : 'operator_cancelled');
  return {
    update: 'cancel',
    argument: { by, reason, ...fee },
    isDone: (ride) => ride.status === 'cancelled' && ride.endReason === reason,
  };
}

/** Also the ride that the driver has just given back: a repeat of that is answered as the first. */
async function rideOfDriver(pool: Pool, rideId: string, driver: Viewer): Promise<Ride> {
  try {
    return await visibleRide(pool, rideId, driver);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const ride = await visibleRide(pool, rideId, { sub: driver.sub, role: 'service' });
    if (ride.excludedDriverIds.includes(driver.sub)) return ride;
    throw error;
  }
}

/** An EventSource sends back what it was given, so this is none, or it followed another ride. */
function neverSent(version: number): CodedError {
  const detail = `the ride has not been at version ${version}`;
  const errors = [{ in: 'headers', pointer: '/last-event-id', detail }];
  return new CodedError('validation_failed', `headers/last-event-id: ${detail}`, { errors });
}

/** Whether these news end what the viewer may see: a driver who is off the ride. */
const isSentAway = ({ sub, role }: Viewer, { fact }: RideNews): boolean =>
  role === 'driver' &&
  (fact.type === 'ride.driver_unassigned' || fact.type === 'ride.driver_reservation_released') &&
  fact.data.driverId === sub;
