import { z } from 'zod';
import type { Operation } from './operation';
import { rideAction, rideId } from './rideOperation';
import { declineRouteBody, routeChangeBody } from './rides';

/** A malformed id is an unknown one: the path takes any text. */
const changeParams = z.strictObject({ rideId, changeId: z.string().describe('the id of a proposal') });
const problems = ['ride_not_found', 'illegal_transition'] as const;

/** What happens on the way: stops, and another way from here on. */
export const routeOperations = {
  reachStop: {
    method: 'post',
    path: '/v1/rides/{rideId}/stops/{stop}/reached',
    summary: 'The driver is at a stop; stops are reached in order, counted from 1',
    tag: 'rides',
    roles: ['driver'],
    request: {
      params: z.strictObject({
        rideId,
        stop: z
          .string()
          .regex(/^[1-9]\d{0,2}$/, 'a whole number from 1')
          .transform(Number),
      }),
    },
    response: rideAction,
    problems: [...problems, 'not_your_ride', 'stop_out_of_order'],
  },
  proposeRoute: {
    method: 'post',
    path: '/v1/rides/{rideId}/route-changes',
    summary:
      'Propose another way from here on, as quoted for this ride; a newer proposal replaces the one before',
    tag: 'rides',
    roles: ['rider'],
    request: { params: z.strictObject({ rideId }), body: routeChangeBody },
    response: { ...rideAction, description: 'The ride with the proposal, which the driver answers' },
    problems: [
      ...problems,
      'quote_invalid',
      'quote_expired',
      'route_change_not_possible',
      'too_many_changes',
    ],
  },
  withdrawRoute: {
    method: 'post',
    path: '/v1/rides/{rideId}/route-changes/{changeId}/withdraw',
    summary: 'Take a proposal back before it is answered',
    tag: 'rides',
    roles: ['rider'],
    request: { params: changeParams },
    response: rideAction,
    problems: [...problems, 'route_change_over'],
  },
  acceptRoute: {
    method: 'post',
    path: '/v1/rides/{rideId}/route-changes/{changeId}/accept',
    summary: 'Drive the way that the rider proposes, once it is secured that it will be paid',
    tag: 'rides',
    roles: ['driver'],
    request: { params: changeParams },
    response: { ...rideAction, description: 'The ride with its new way and fare' },
    problems: [
      ...problems,
      'not_your_ride',
      'route_change_over',
      'fare_not_covered',
      'fare_change_under_way',
    ],
  },
  declineRoute: {
    method: 'post',
    path: '/v1/rides/{rideId}/route-changes/{changeId}/decline',
    summary: 'Stay on the way as it is',
    tag: 'rides',
    roles: ['driver'],
    request: { params: changeParams, body: declineRouteBody },
    response: rideAction,
    problems: [...problems, 'not_your_ride', 'route_change_over'],
  },
} as const satisfies Record<string, Operation>;
