import { cancellationFee, noShowFeeMinor } from './cancellation';
import { earlyFareMinor, waitingMinor } from './charge';
import { DomainError } from './errors';
import { adjustedFare, MAX_FARE_MINOR } from './fare';
import type { Policies } from './policies';
import { requestOf } from './requestChange';
import { rideTransitions } from './ride';
import { inTime, requireDue } from './schedule';
import type { Ride, RideCommand, RideCommandType, RideFact, RideFactData, RouteChange } from './ride';

/**
 * A ride that has so many facts is not changed any more, only carried on and ended: its workflow takes 2,000 Updates
 * (Temporal's limit), and those that end it have to be among them.
 */
export const MOST_FACTS_TO_CHANGE = 200;

type Beginning = 'schedule' | 'request';

/**
 * What a command does to a ride, as the fact to be recorded.
 * @throws DomainError `illegal_transition`, `not_your_ride`, `too_far_from_pickup`, `no_show_too_early`,
 *   `release_not_due`, `scheduled_too_soon`, `scheduled_too_late`, `stop_out_of_order`, `route_change_over`,
 *   `route_change_not_possible`, `fare_not_possible`, `too_many_changes`
 */
export function decideRide(command: RideCommand, ride: Ride | null, policies: Policies): RideFact {
  const { from, fact } = rideTransitions[command.type];
  const status = ride?.status ?? 'nothing';
  if (!from.includes(status)) {
    throw new DomainError('illegal_transition', `A ride that is ${status} cannot ${words(command.type)}.`, {
      rideStatus: status,
      command: command.type,
    });
  }
  const data = dataOf(command, ride, policies);
  return { type: fact, at: command.at, data } as RideFact;
}

function dataOf(command: RideCommand, ride: Ride | null, policies: Policies): RideFactData[RideFact['type']] {
  if (command.type === 'request') return command.request;
  if (command.type === 'schedule') return inTime(command.request, command.at, policies);
  if (ride === null) throw new Error('impossible: only a request begins from nothing');
  return decideOn(command, ride, policies);
}

function decideOn(
  command: Exclude<RideCommand, { type: Beginning }>,
  ride: Ride,
  policies: Policies,
): RideFactData[RideFact['type']] {
  const { at } = command;
  switch (command.type) {
    case 'reschedule':
      requireFewChanges(ride);
      return inTime({ ...requestOf(ride), ...command.request, ...whoseIs(ride) }, at, policies);
    case 'release':
      requireDue(ride, at, policies);
      return requestOf(ride);
    case 'startMatching':
      return command.paymentMethod === undefined ? {} : { paymentMethod: command.paymentMethod };
    case 'giveUpMatching':
      return {};
    case 'failPayment':
      return { reason: command.reason };
    case 'reserveDriver':
    case 'assignDriver':
      return { driverId: command.driverId, offerId: command.offerId };
    case 'releaseReservation':
      return { driverId: reservedDriverOf(ride), reason: command.reason };
    case 'unassignDriver':
      return { driverId: ofRide(command, ride), reason: command.reason };
    case 'reassign':
      return { driverId: ofRide(command, ride), reason: command.reason, by: 'operator' };
    case 'arrive': {
      requireNear(command, policies);
      return { driverId: ofRide(command, ride), ...overrideIn(command) };
    }
    case 'start': {
      const waited = waitingMinor(ride.arrivedAt ?? at, at, policies);
      const waiting = waited === 0 ? {} : { waitingMinor: waited };
      return { driverId: ofRide(command, ride), ...waiting, ...overrideIn(command) };
    }
    case 'reachStop':
      return { driverId: ofRide(command, ride), stop: nextStop(command.stop, ride) };
    case 'proposeRoute':
      requireFewChanges(ride);
      return fromHere(command.change, ride);
    case 'declineRoute': {
      const { changeId, by, reason } = command;
      return { changeId: openChange(changeId, ride).changeId, by, reason };
    }
    case 'changeRoute':
      return fromHere(openChange(command.changeId, ride), ride);
    case 'adjustFare':
      requireFewChanges(ride);
      requireFare(command.totalMinor);
      return { fare: adjustedFare(ride.fare, command.totalMinor), reason: command.reason };
    case 'complete':
      return completed(ride, ofRide(command, ride), ride.fare.totalMinor);
    case 'forceComplete': {
      const ended = { by: 'operator', reason: command.reason } as const;
      return { ...completed(ride, driverOf(ride), ride.fare.totalMinor), ended };
    }
    case 'endEarly': {
      const { by, reason, drivenMeters = null } = command;
      const fareMinor = earlyFareMinor(ride, at, drivenMeters, policies);
      return { ...completed(ride, driverOf(ride), fareMinor), ended: { by, reason, drivenMeters } };
    }
    case 'reportNoShow': {
      ofRide(command, ride);
      requireWaited(ride, at, policies);
      return cancelled(ride, 'no_show', 'no_show', noShowFeeMinor(ride, policies));
    }
    case 'cancelByRider': {
      const { reason, approachMeters = null, agreedFeeMinor = null } = command;
      const { feeMinor } = cancellationFee(ride, { by: 'rider', at, approachMeters }, policies);
      return cancelled(ride, 'rider', reason, Math.min(feeMinor, agreedFeeMinor ?? feeMinor));
    }
    case 'cancelByOperator': {
      const { feeMinor } = cancellationFee(ride, { by: 'operator', at, approachMeters: null }, policies);
      return cancelled(ride, 'operator', command.reason, feeMinor);
    }
  }
}

function completed(ride: Ride, driverId: string, fareMinor: number): RideFactData['ride.completed'] {
  const { waitingMinor: waited, fare } = ride;
  const { currency } = fare;
  const chargeMinor = fareMinor + waited;
  return { driverId, chargeMinor, currency, ...(waited === 0 ? {} : { waitingMinor: waited }) };
}

function cancelled(
  ride: Ride,
  by: RideFactData['ride.cancelled']['by'],
  reason: string,
  feeMinor: number,
): RideFactData['ride.cancelled'] {
  return { by, reason, driverId: ride.driverId, feeMinor, currency: ride.fare.currency };
}

/** What no change of a request changes. */
const whoseIs = ({ rideId, riderId }: Ride) => ({ rideId, riderId });

function ofRide(command: { driverId: string }, ride: Ride): string {
  if (command.driverId !== ride.driverId) {
    throw new DomainError('not_your_ride', 'This ride is with another driver.');
  }
  return command.driverId;
}

const overrideIn = ({ by, reason }: { by?: 'operator'; reason?: string }) =>
  by === undefined ? {} : { by, ...(reason === undefined ? {} : { reason }) };

function driverOf(ride: Ride): string {
  if (ride.driverId === null) throw new Error(`impossible: ${ride.status} without a driver`);
  return ride.driverId;
}

function reservedDriverOf(ride: Ride): string {
  if (ride.reservedDriverId === null) {
    throw new DomainError('illegal_transition', 'No driver is reserved for this ride.', {
      rideStatus: ride.status,
    });
  }
  return ride.reservedDriverId;
}

function requireNear(
  { pickupDistanceMeters = null }: { pickupDistanceMeters?: number | null },
  { arrivalRadiusMeters }: Policies,
): void {
  if (pickupDistanceMeters !== null && pickupDistanceMeters > arrivalRadiusMeters) {
    throw new DomainError('too_far_from_pickup', `The pickup is ${pickupDistanceMeters} m away.`, {
      distanceMeters: pickupDistanceMeters,
      maxMeters: arrivalRadiusMeters,
    });
  }
}

function nextStop(stop: number, ride: Ride): number {
  const next = ride.stopsReached + 1;
  if (stop !== next || next > ride.stops.length) {
    throw new DomainError('stop_out_of_order', 'Stops are reached one after another.', {
      stopsReached: ride.stopsReached,
      stops: ride.stops.length,
    });
  }
  return stop;
}

function openChange(changeId: string, ride: Ride): RideFactData['ride.route_changed'] {
  if (ride.routeChange?.changeId !== changeId) {
    throw new DomainError('route_change_over', 'This proposal was answered or replaced.');
  }
  return ride.routeChange;
}

/** A change of the way ahead: the stops that were reached stay as they are. */
function fromHere(change: RouteChange, ride: Ride): RouteChange {
  const reached = ride.stops.slice(0, ride.stopsReached);
  const isKept = reached.every(
    ({ lat, lng }, i) => change.stops[i]?.lat === lat && change.stops[i]?.lng === lng,
  );
  if (!isKept) {
    throw new DomainError('route_change_not_possible', 'The stops that were reached stay as they are.', {
      stopsReached: ride.stopsReached,
    });
  }
  return change;
}

function requireFewChanges({ version }: Ride): void {
  if (version >= MOST_FACTS_TO_CHANGE)
    throw new DomainError('too_many_changes', 'This ride was changed too often: it stays as it is.');
}

function requireFare(totalMinor: number): void {
  if (!Number.isSafeInteger(totalMinor) || totalMinor < 0 || totalMinor > MAX_FARE_MINOR) {
    const message = `A fare is a whole number of minor units, from 0 to ${MAX_FARE_MINOR}.`;
    throw new DomainError('fare_not_possible', message);
  }
}

function requireWaited(ride: Ride, at: string, policies: Policies): void {
  const waitedMs = Date.parse(at) - Date.parse(ride.arrivedAt ?? at);
  if (waitedMs < policies.noShowAfterMs) {
    const waitMs = policies.noShowAfterMs - waitedMs;
    throw new DomainError('no_show_too_early', `The rider may still come: wait ${waitMs} ms more.`, {
      waitMs,
    });
  }
}

const words = (command: RideCommandType): string => command.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`);
