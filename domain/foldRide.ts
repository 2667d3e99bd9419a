import type { Ride, RideFact, RideRequest } from './ride';

/** The ride after a fact. Folding all of a ride's facts from `null` rebuilds its row. */
export function foldRide(ride: Ride | null, fact: RideFact): Ride {
  if (ride === null) {
    if (fact.type !== 'ride.requested' && fact.type !== 'ride.scheduled')
      throw new Error(`impossible: ${fact.type} before the ride was asked for`);
    const status = fact.type === 'ride.requested' ? 'requested' : 'scheduled';
    return begin(fact.data, fact.at, status);
  }
  return { ...ride, ...changes(ride, fact), version: ride.version + 1 };
}

const begin = (request: RideRequest, at: string, status: Ride['status']): Ride => ({
  ...asked(request),
  version: 1,
  status,
  driverId: null,
  excludedDriverIds: [],
  requestedAt: at,
  matchingSince: null,
  assignedAt: null,
  arrivedAt: null,
  startedAt: null,
  endedAt: null,
  stopsReached: 0,
  routeChange: null,
  reservedDriverId: null,
  waitingMinor: 0,
  chargeMinor: null,
  endReason: null,
});

/** The first version of a request knew of no stops and no schedule. */
const asked = (request: Omit<RideRequest, 'stops' | 'scheduledFor'> & Partial<RideRequest>): RideRequest => ({
  ...request,
  stops: request.stops ?? [],
  scheduledFor: request.scheduledFor ?? null,
});

function changes(ride: Ride, fact: RideFact): Partial<Ride> {
  switch (fact.type) {
    case 'ride.scheduled':
    case 'ride.rescheduled':
      return { ...asked(fact.data), status: 'scheduled' };
    case 'ride.requested':
      return { ...asked(fact.data), status: 'requested', requestedAt: fact.at };
    case 'ride.driver_reserved':
      return { reservedDriverId: fact.data.driverId };
    case 'ride.driver_reservation_released':
      return {
        reservedDriverId: null,
        excludedDriverIds: [...ride.excludedDriverIds, fact.data.driverId],
      };
    case 'ride.stop_reached':
      return { stopsReached: fact.data.stop };
    case 'ride.route_change_proposed':
      return { routeChange: fact.data };
    case 'ride.route_change_declined':
      return { routeChange: null };
    case 'ride.route_changed': {
      const { changeId: _, ...route } = fact.data;
      return { ...route, routeChange: null };
    }
    case 'ride.fare_adjusted':
      return { fare: fact.data.fare };
    case 'ride.matching_started': {
      const { paymentMethod = ride.paymentMethod } = fact.data;
      return { status: 'matching', matchingSince: fact.at, paymentMethod };
    }
    case 'ride.payment_failed':
      return { status: 'payment_failed', endedAt: fact.at, chargeMinor: 0, endReason: fact.data.reason };
    case 'ride.driver_assigned':
      return {
        status: 'assigned',
        driverId: fact.data.driverId,
        reservedDriverId: null,
        assignedAt: fact.at,
      };
    case 'ride.no_driver_found':
      return {
        status: 'no_driver',
        reservedDriverId: null,
        endedAt: fact.at,
        chargeMinor: 0,
        endReason: 'no_driver',
      };
    case 'ride.driver_unassigned':
      return {
        status: 'matching',
        matchingSince: fact.at,
        driverId: null,
        assignedAt: null,
        arrivedAt: null,
        excludedDriverIds: [...ride.excludedDriverIds, fact.data.driverId],
      };
    case 'ride.driver_arrived':
      return { status: 'arrived', arrivedAt: fact.at };
    case 'ride.started':
      return { status: 'in_progress', startedAt: fact.at, waitingMinor: fact.data.waitingMinor ?? 0 };
    case 'ride.completed':
      return {
        status: 'completed',
        routeChange: null,
        endedAt: fact.at,
        chargeMinor: fact.data.chargeMinor,
        endReason: fact.data.ended?.reason ?? 'completed',
      };
    case 'ride.cancelled':
      return {
        status: 'cancelled',
        reservedDriverId: null,
        routeChange: null,
        endedAt: fact.at,
        chargeMinor: fact.data.feeMinor,
        endReason: fact.data.reason,
      };
  }
}
