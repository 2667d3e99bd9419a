import type { Pool } from 'pg';
import { operations } from '../../contracts/api/operations';
import { DomainError } from '../../domain/errors';
import { hasEnded, type Ride } from '../../domain/ride';
import { CodedError } from '../../platform/errors';
import { openEventStream, type MountOperation } from '../../platform/http';
import { visibleRide } from './access';
import type { RequestRide } from './requestRide';
import type { Act, RideAction } from './rideActions';
import type { RideFeed, RideNews } from './rideFeed';
import { startCodeFor } from './startCode';
import { cityOverview } from './store';
import { viewRide, type Viewer } from './views';

export interface RideRoutesOptions {
  readonly pool: Pool;
  readonly requestRide: RequestRide;
  readonly act: Act;
  readonly feed: RideFeed;
  readonly codeSecret: string;
}

/** Rides for riders, drivers and operators. */
export function rideRoutes(mount: MountOperation, options: RideRoutesOptions): void {
  const { pool, requestRide, act, feed, codeSecret } = options;
  const rideNow = (ride: Ride, viewer: Viewer) => ({ status: 200, body: viewRide(ride, viewer, codeSecret) });

  mount(operations.requestRide, async ({ body, headers, caller }) => {
    const answer = await requestRide({ riderId: caller.sub, key: headers['idempotency-key'], body });
    return { status: 201, headers: { Location: `/v1/rides/${answer.rideId}` }, body: answer };
  });

  mount(operations.getRide, async ({ params, caller }) =>
    rideNow(await visibleRide(pool, params.rideId, caller), caller),
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
    const ride =
      caller.role === 'driver'
        ? await rideOfDriver(pool, rideId, caller)
        : await visibleRide(pool, rideId, caller);
    return rideNow(await act(ride, cancelAs(caller, body.reason)), caller);
  });

  mount(operations.start, async ({ params, body, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    if (body.code !== startCodeFor(codeSecret, ride.rideId)) {
      throw new DomainError('wrong_start_code', 'This is not the code of the ride.');
    }
    return rideNow(await act(ride, driverActions.start(caller.sub)), caller);
  });

  for (const name of ['arrive', 'complete', 'reportNoShow'] as const) {
    mount(operations[name], async ({ params, caller }) => {
      const ride = await visibleRide(pool, params.rideId, caller);
      return rideNow(await act(ride, driverActions[name](caller.sub)), caller);
    });
  }

  mount(operations.overview, async () => ({ status: 200, body: await cityOverview(pool) }));
}

type DriverAction = (driverId: string) => RideAction;

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

/** A driver's cancel gives the ride back to matching; anybody else's ends it. */
function cancelAs({ sub, role }: Viewer, given: string | undefined): RideAction {
  if (role === 'driver') {
    return {
      update: 'unassign',
      argument: { driverId: sub, reason: given ?? 'driver_cancelled' },
      isDone: (ride) => ride.excludedDriverIds.includes(sub),
    };
  }
  const by = role === 'rider' ? 'rider' : 'operator';
  const reason = given ?? (by === 'rider' ? 'changed_mind' : 'operator_cancelled');
  return {
    update: 'cancel',
    argument: { by, reason },
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
  role === 'driver' && fact.type === 'ride.driver_unassigned' && fact.data.driverId === sub;
