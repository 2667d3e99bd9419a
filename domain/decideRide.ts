import { cancellationFeeMinor, noShowFeeMinor } from './cancellation';
import { DomainError } from './errors';
import type { Policies } from './policies';
import { rideTransitions } from './ride';
import type { Ride, RideCommand, RideCommandType, RideFact } from './ride';

/**
 * What a command does to a ride, as the fact to be recorded.
 * @throws DomainError `illegal_transition`, `not_your_ride`, `no_show_too_early`
 */
export function decideRide(command: RideCommand, ride: Ride | null, policies: Policies): RideFact {
  const { from } = rideTransitions[command.type];
  const status = ride?.status ?? 'nothing';
  if (!from.includes(status)) {
    throw new DomainError('illegal_transition', `A ride that is ${status} cannot ${words(command.type)}.`, {
      status,
      command: command.type,
    });
  }
  if (command.type === 'request') return { type: 'ride.requested', at: command.at, data: command.request };
  if (ride === null) throw new Error('impossible: only a request begins from nothing');
  return decideOn(command, ride, policies);
}

function decideOn(
  command: Exclude<RideCommand, { type: 'request' }>,
  ride: Ride,
  policies: Policies,
): RideFact {
  const { at } = command;
  const { currency } = ride.fare;
  switch (command.type) {
    case 'startMatching':
      return { type: 'ride.matching_started', at, data: {} };
    case 'failPayment':
      return { type: 'ride.payment_failed', at, data: { reason: command.reason } };
    case 'assignDriver':
      return {
        type: 'ride.driver_assigned',
        at,
        data: { driverId: command.driverId, offerId: command.offerId },
      };
    case 'giveUpMatching':
      return { type: 'ride.no_driver_found', at, data: {} };
    case 'unassignDriver':
      return {
        type: 'ride.driver_unassigned',
        at,
        data: { driverId: ofRide(command, ride), reason: command.reason },
      };
    case 'arrive':
      return { type: 'ride.driver_arrived', at, data: { driverId: ofRide(command, ride) } };
    case 'start':
      return { type: 'ride.started', at, data: { driverId: ofRide(command, ride) } };
    case 'complete': {
      const driverId = ofRide(command, ride);
      return { type: 'ride.completed', at, data: { driverId, chargeMinor: ride.fare.totalMinor, currency } };
    }
    case 'reportNoShow': {
      const driverId = ofRide(command, ride);
      requireWaited(ride, at, policies);
      const feeMinor = noShowFeeMinor(ride, policies);
      return {
        type: 'ride.cancelled',
        at,
        data: { by: 'no_show', reason: 'no_show', driverId, feeMinor, currency },
      };
    }
    case 'cancelByRider': {
      const feeMinor = cancellationFeeMinor(ride, at, policies);
      const { driverId } = ride;
      return {
        type: 'ride.cancelled',
        at,
        data: { by: 'rider', reason: command.reason, driverId, feeMinor, currency },
      };
    }
    case 'cancelByOperator': {
      const { driverId } = ride;
      return {
        type: 'ride.cancelled',
        at,
        data: { by: 'operator', reason: command.reason, driverId, feeMinor: 0, currency },
      };
    }
  }
}

function ofRide(command: { driverId: string }, ride: Ride): string {
  if (command.driverId !== ride.driverId) {
    throw new DomainError('not_your_ride', 'This ride is with another driver.');
  }
  return command.driverId;
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
