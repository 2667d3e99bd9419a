import { z } from 'zod';
import { freeText, point, time, uuid, vehicle } from '../shared';
import type { Operation } from './operation';
import { rideIdParam } from './rideOperation';
import { rideStatus } from './rides';

export const ratingBody = z.strictObject({
  stars: z.int().min(1).max(5),
  comment: freeText(500).optional(),
});

export const ratingView = z.strictObject({
  rideId: uuid,
  by: z.enum(['rider', 'driver']),
  stars: z.int(),
  comment: z.string().nullable(),
  givenAt: time,
});

export const shareView = z.strictObject({ url: z.url(), expiresAt: time });

/** A ride as anybody with the link sees it: nothing of the rider, and of the driver only while there is one. */
export const sharedRideView = z.strictObject({
  status: rideStatus,
  pickup: point,
  stops: z.array(point),
  dropoff: point,
  driver: z
    .strictObject({
      name: z.string(),
      plate: z.string(),
      product: vehicle,
      /** Where the driver was last seen, null where nothing fresh is known. */
      position: point.nullable(),
    })
    .nullable(),
  expiresAt: time,
});

/** What goes with a ride: ratings of both sides after it, and links for those who wait for the rider. */
export const companionOperations = {
  rateRide: {
    method: 'post',
    path: '/v1/rides/{rideId}/rating',
    summary: 'Rate the other side of a completed ride, once; the same again is the same answer',
    tag: 'rides',
    roles: ['rider', 'driver'],
    request: { params: rideIdParam, body: ratingBody },
    response: { status: 201, description: 'Given', body: ratingView },
    problems: ['ride_not_found', 'rating_not_possible', 'rating_already_given'],
  },
  shareRide: {
    method: 'post',
    path: '/v1/rides/{rideId}/share',
    summary: 'Make a link that shows the ride to whoever has it, until shortly after its end',
    tag: 'rides',
    roles: ['rider'],
    request: { params: rideIdParam },
    response: { status: 201, description: 'The link', body: shareView },
    problems: ['ride_not_found', 'share_not_possible'],
  },
  unshareRide: {
    method: 'delete',
    path: '/v1/rides/{rideId}/share',
    summary: 'Take back every link to the ride',
    tag: 'rides',
    roles: ['rider'],
    request: { params: rideIdParam },
    response: { status: 204, description: 'No link made until now shows anything' },
    problems: ['ride_not_found'],
  },
  sharedRide: {
    method: 'get',
    path: '/v1/shared/{token}',
    summary: 'Look at a shared ride',
    tag: 'rides',
    roles: [],
    request: { params: z.strictObject({ token: z.string() }) },
    response: { status: 200, description: 'The ride as far as it is shared', body: sharedRideView },
    problems: ['share_not_found'],
  },
} as const satisfies Record<string, Operation>;

export type ShareView = z.infer<typeof shareView>;
