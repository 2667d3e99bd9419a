import { stuckRides } from './ops';
import type { Operation } from './operation';
import { rideAction, rideIdParam } from './rideOperation';
import { fareBody, operatorBody, reassignBody } from './rides';

/** What operators do to a ride that cannot go on by itself, or went wrong. Each says why. */
export const operatorOperations = {
  stuckRides: {
    method: 'get',
    path: '/v1/ops/rides/stuck',
    summary: 'Rides that wait longer than their state allows, the longest first',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: {},
    response: { status: 200, description: 'At most 200, each with what to do', body: stuckRides },
    problems: [],
  },
  overrideArrival: {
    method: 'post',
    path: '/v1/ops/rides/{rideId}/arrive',
    summary: 'The driver is at the pickup, whatever the map says',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, body: operatorBody },
    response: rideAction,
    problems: ['ride_not_found', 'illegal_transition'],
  },
  overrideStart: {
    method: 'post',
    path: '/v1/ops/rides/{rideId}/start',
    summary: 'The rider is in the car: start without the code',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, body: operatorBody },
    response: rideAction,
    problems: ['ride_not_found', 'illegal_transition'],
  },
  reassign: {
    method: 'post',
    path: '/v1/ops/rides/{rideId}/reassign',
    summary: 'Take the ride from its driver and look for another; fare and hold stay',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, body: reassignBody },
    response: rideAction,
    problems: ['ride_not_found', 'illegal_transition', 'not_your_ride'],
  },
  adjustFare: {
    method: 'post',
    path: '/v1/ops/rides/{rideId}/fare',
    summary: 'Set another fare under way; a higher one takes effect once the hold covers it',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, body: fareBody },
    response: rideAction,
    problems: ['ride_not_found', 'illegal_transition', 'fare_not_possible', 'fare_not_covered'],
  },
  forceComplete: {
    method: 'post',
    path: '/v1/ops/rides/{rideId}/complete',
    summary: 'Complete the ride in place of its driver, at its fare',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, body: operatorBody },
    response: rideAction,
    problems: ['ride_not_found', 'illegal_transition'],
  },
  endRideByOperator: {
    method: 'post',
    path: '/v1/ops/rides/{rideId}/end',
    summary: 'End the ride where it is: the fare is for what was driven',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, body: operatorBody },
    response: rideAction,
    problems: ['ride_not_found', 'illegal_transition'],
  },
} as const satisfies Record<string, Operation>;
