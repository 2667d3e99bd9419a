import { z } from 'zod';
import { driverRegistration, driverView, offerAnswer, offerView, onlineBody } from './drivers';
import { uuid } from '../shared';
import type { Operation } from './operation';
import {
  fleetPositionsBody,
  partialQuery,
  positionsBody,
  positionsMediaType,
  positionsTaken,
} from './positions';

/** A malformed id is an unknown one: the path takes any text. */
const offerIdParam = z.strictObject({ offerId: z.string().describe('the id of an offer') });
const lastOfferHeader = z.object({ 'last-event-id': uuid.optional() });
const taken = {
  status: 202,
  description: 'Taken; telemetry, so a lost one is made good by the next',
  body: positionsTaken,
} as const;
const driverAction = { status: 200, description: 'The driver as it is now', body: driverView } as const;

/** What drivers do beside driving: their shifts and the offers made to them. */
export const driverOperations = {
  registerDriver: {
    method: 'put',
    path: '/v1/drivers/me',
    summary: 'Register as a driver, or change name, plate and product',
    tag: 'drivers',
    roles: ['driver'],
    request: { body: driverRegistration },
    response: driverAction,
    problems: [],
  },
  getDriver: {
    method: 'get',
    path: '/v1/drivers/me',
    summary: 'Look at oneself',
    tag: 'drivers',
    roles: ['driver'],
    request: {},
    response: driverAction,
    problems: ['driver_unknown'],
  },
  goOnline: {
    method: 'post',
    path: '/v1/drivers/me/online',
    summary: 'Begin to get offers',
    tag: 'drivers',
    roles: ['driver'],
    request: { body: onlineBody },
    response: driverAction,
    problems: ['driver_unknown'],
  },
  goOffline: {
    method: 'post',
    path: '/v1/drivers/me/offline',
    summary:
      'Get no more offers: an open one is withdrawn; a ride in hand, or just accepted, is ended or given back first',
    tag: 'drivers',
    roles: ['driver'],
    request: {},
    response: driverAction,
    problems: ['driver_unknown', 'driver_busy'],
  },
  sendPositions: {
    method: 'post',
    path: '/v1/drivers/me/positions',
    summary: 'Send positions, the newest wins',
    tag: 'drivers',
    roles: ['driver'],
    request: { query: partialQuery, body: positionsBody },
    response: taken,
    problems: ['driver_unknown', 'too_many_positions', 'too_much_at_once', 'body_incomplete'],
  },
  sendFleetPositions: {
    method: 'post',
    path: '/v1/fleet/positions',
    summary: 'Send positions of many drivers who drive for the caller, in up to 1 MiB; the newest wins',
    tag: 'drivers',
    roles: ['fleet'],
    request: {
      query: partialQuery,
      body: fleetPositionsBody,
      binary: {
        mediaType: positionsMediaType,
        description: 'The binary form of positions, version 2: docs/positions.md',
      },
    },
    response: taken,
    problems: ['too_many_positions', 'too_much_at_once', 'body_incomplete'],
  },
  driverOffers: {
    method: 'get',
    path: '/v1/drivers/me/offers',
    summary: 'Follow the offers made to the driver, beginning with those that are live',
    tag: 'drivers',
    roles: ['driver'],
    request: { headers: lastOfferHeader },
    response: {
      status: 200,
      description: 'Server-sent events: `offer`, and `offer_over` when it can no longer be accepted',
      events: { offer: offerView, offer_over: offerView.pick({ offerId: true }) },
    },
    problems: ['driver_unknown'],
  },
  acceptOffer: {
    method: 'post',
    path: '/v1/offers/{offerId}/accept',
    summary: 'Take the ride: the first driver of a batch wins',
    tag: 'drivers',
    roles: ['driver'],
    request: { params: offerIdParam },
    response: { status: 200, description: 'The ride is yours', body: offerAnswer },
    problems: ['offer_not_found', 'offer_over', 'driver_busy'],
  },
  declineOffer: {
    method: 'post',
    path: '/v1/offers/{offerId}/decline',
    summary: 'Leave the ride to others',
    tag: 'drivers',
    roles: ['driver'],
    request: { params: offerIdParam },
    response: { status: 200, description: 'The offer is over', body: offerAnswer },
    problems: ['offer_not_found', 'offer_over'],
  },
} as const satisfies Record<string, Operation>;
