import type { Ride, RideFact, RideRequest } from './ride';

/** The ride after a fact. Folding all of a ride's facts from `null` rebuilds its row. */
export function foldRide(ride: Ride | null, fact: RideFact): Ride {
  if (fact.type === 'ride.requested') return begin(fact.data, fact.at);
  if (ride === null) throw new Error(`impossible: ${fact.type} before ride.requested`);
  return { ...ride, ...changes(ride, fact), version: ride.version + 1 };
}

const begin = (request: RideRequest, at: string): Ride => ({
  ...request,
  version: 1,
  status: 'requested',
  driverId: null,
  excludedDriverIds: [],
  requestedAt: at,
  matchingSince: null,
  assignedAt: null,
  arrivedAt: null,
  startedAt: null,
  endedAt: null,
  chargeMinor: null,
  endReason: null,
});

function changes(ride: Ride, fact: Exclude<RideFact, { type: 'ride.requested' }>): Partial<Ride> {
  switch (fact.type) {
    case 'ride.matching_started':
      return { status: 'matching', matchingSince: fact.at };
    case 'ride.payment_failed':
      return { status: 'payment_failed', endedAt: fact.at, chargeMinor: 0, endReason: fact.data.reason };
    case 'ride.driver_assigned':
      return { status: 'assigned', driverId: fact.data.driverId, assignedAt: fact.at };
    case 'ride.no_driver_found':
      return { status: 'no_driver', endedAt: fact.at, chargeMinor: 0, endReason: 'no_driver' };
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
      return { status: 'in_progress', startedAt: fact.at };
    case 'ride.completed':
      return {
        status: 'completed',
        endedAt: fact.at,
        chargeMinor: fact.data.chargeMinor,
        endReason: 'completed',
      };
    case 'ride.cancelled':
      return {
        status: 'cancelled',
        endedAt: fact.at,
        chargeMinor: fact.data.feeMinor,
        endReason: fact.data.reason,
      };
  }
}
