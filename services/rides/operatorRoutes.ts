import type { Pool } from 'pg';
import { operations } from '../../contracts/api/operations';
import type { RidesInFlight, StuckRides } from '../../contracts/api/ops';
import { DomainError } from '../../domain/errors';
import type { Policies } from '../../domain/policies';
import { hasEnded, type Ride, type RideStatus } from '../../domain/ride';
import { stuckBounds, stuckIn, type Stuck } from '../../domain/stuck';
import type { MountOperation } from '../../platform/http';
import { visibleRide } from './access';
import type { WhereIs } from './location';
import { endEarly, workflowIdOf, type Act, type RideAction } from './rideActions';
import { cityOverview, ridesBeyond, ridesIn } from './store';
import { viewRide, type Viewer } from './views';
import { drivenMeters } from './whereabouts';

export interface OperatorRoutesOptions {
  readonly pool: Pool;
  readonly act: Act;
  readonly whereIs: WhereIs;
  readonly policies: Policies;
  readonly codeSecret: string;
  /**
   * When the payments of these rides have last moved, ISO 8601 in UTC: in the future where a rider still has time to
   * answer their bank. Those that have none are missing.
   */
  readonly paymentsMovedAt: (rideIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const inFlight: readonly RideStatus[] = ['requested', 'matching', 'assigned', 'arrived', 'in_progress'];
const MOST_IN_FLIGHT = 500;
const MOST_STUCK_RIDES = 200;
/** What is beyond its status's least limit; a long ride may wait longer than that. */
const MOST_CANDIDATES = 500;

/** What operators see of all rides, and do to one. */
export function operatorRoutes(mount: MountOperation, options: OperatorRoutesOptions): void {
  const { pool, act, whereIs, policies, codeSecret, paymentsMovedAt, now } = options;

  mount(operations.overview, async () => ({ status: 200, body: await cityOverview(pool) }));

  mount(operations.ridesInFlight, async () => ({
    status: 200,
    body: { rides: (await ridesIn(pool, inFlight, MOST_IN_FLIGHT)).map(viewInFlight) },
  }));

  mount(operations.stuckRides, async () => {
    const at = new Date(now()).toISOString();
    const candidates = await ridesBeyond(pool, stuckBounds(at, policies), MOST_CANDIDATES);
    const waiting = candidates.filter(({ status }) => status === 'requested');
    const movedAt = await paymentsMovedAt(waiting.map(({ rideId }) => rideId))
      // That its database is away may be why they wait.
      .catch((): ReadonlyMap<string, string> => new Map());
    const rides = candidates.flatMap((ride) =>
      viewStuck(ride, stuckIn(ride, at, policies, movedAt.get(ride.rideId))),
    );
    rides.sort((a, b) => b.overdueMs - a.overdueMs);
    return { status: 200, body: { rides: rides.slice(0, MOST_STUCK_RIDES) } };
  });

  const acting = async (
    rideId: string,
    caller: Viewer,
    actionOn: (ride: Ride) => RideAction | Promise<RideAction>,
  ) => {
    const ride = await visibleRide(pool, rideId, caller);
    const after = await act(ride, await actionOn(ride));
    return { status: 200, body: viewRide(after, caller, codeSecret) };
  };

  mount(operations.overrideArrival, ({ params, body, caller }) =>
    acting(params.rideId, caller, (ride) => ({
      update: 'arrive',
      argument: { driverId: driverOf(ride), by: 'operator', reason: body.reason },
      isDone: ({ status }) => status === 'arrived',
    })),
  );

  mount(operations.overrideStart, ({ params, body, caller }) =>
    acting(params.rideId, caller, (ride) => ({
      update: 'start',
      argument: { driverId: driverOf(ride), by: 'operator', reason: body.reason },
      isDone: ({ status }) => status === 'in_progress',
    })),
  );

  mount(operations.reassign, ({ params, body, caller }) =>
    acting(params.rideId, caller, () => ({
      update: 'reassign',
      argument: body,
      isDone: (ride) => !hasEnded(ride) && ride.excludedDriverIds.includes(body.driverId),
    })),
  );

  mount(operations.adjustFare, ({ params, body, caller }) =>
    acting(params.rideId, caller, () => ({
      update: 'adjustFare',
      argument: body,
      isDone: (ride) => !hasEnded(ride) && ride.fare.totalMinor === body.totalMinor,
    })),
  );

  mount(operations.forceComplete, ({ params, body, caller }) =>
    acting(params.rideId, caller, () => ({
      update: 'forceComplete',
      argument: body,
      isDone: completedFor(body.reason),
    })),
  );

  mount(operations.endRideByOperator, ({ params, body, caller }) =>
    acting(params.rideId, caller, async (ride) => ({
      ...endEarly({ by: 'operator', reason: body.reason, drivenMeters: await drivenMeters(ride, whereIs) }),
      isDone: completedFor(body.reason),
    })),
  );
}

/** Whether an operator has completed the ride, for this reason. */
const completedFor =
  (reason: string) =>
  ({ status, endReason }: Ride): boolean =>
    status === 'completed' && endReason === reason;

function viewInFlight(ride: Ride): RidesInFlight['rides'][number] {
  const { rideId, status, driverId, pickup, stops, stopsReached, dropoff, requestedAt } = ride;
  const ahead = stops.slice(stopsReached);
  return {
    rideId,
    workflowId: workflowIdOf(ride),
    status,
    driverId,
    pickup,
    stops: ahead,
    dropoff,
    requestedAt,
  };
}

function viewStuck(ride: Ride, stuck: Stuck | null): StuckRides['rides'] {
  if (stuck === null) return [];
  const { rideId, status, driverId } = ride;
  return [{ rideId, workflowId: workflowIdOf(ride), status, driverId, ...stuck }];
}

function driverOf(ride: Ride): string {
  if (ride.driverId !== null) return ride.driverId;
  throw new DomainError('illegal_transition', `A ride that is ${ride.status} has no driver.`, {
    rideStatus: ride.status,
  });
}
