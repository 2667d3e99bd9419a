import { z } from 'zod';
import { point, subjectId, time, uuid } from '../shared';
import type { Operation } from './operation';
import { rideIdParam } from './rideOperation';

const ms = z.int().min(0);

/** The way of a ride as it is kept, between services: in pieces that the rider's key opens. */
export const storedPath = z.object({
  riderId: subjectId,
  driverId: subjectId,
  /** When the driver got the ride, set off with the rider and was done with it: milliseconds since 1970. */
  fromMs: ms,
  startedMs: ms.nullable(),
  untilMs: ms.nullable(),
  chunks: z.array(z.object({ id: z.string(), sealed: z.base64() })),
});
export type StoredPath = z.infer<typeof storedPath>;
export const storedPathAnswer = z.object({ path: storedPath.nullable() });

const position = z
  .tuple([point.shape.lng, point.shape.lat])
  .describe('longitude and latitude, as RFC 7946 has them');

/** A GeoJSON feature (RFC 7946). */
export const trackView = z.strictObject({
  type: z.literal('Feature'),
  properties: z.strictObject({
    rideId: uuid,
    driverId: subjectId.nullable(),
    assignedAt: time.nullable(),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    times: z.array(time).describe('when the driver was at each of the positions'),
  }),
  geometry: z
    .strictObject({ type: z.literal('LineString'), coordinates: z.array(position).min(2) })
    .nullable()
    .describe('null where fewer than two positions are known: yet, any more, or at all'),
});
export type TrackView = z.infer<typeof trackView>;

/** Where a ride's driver went. */
export const trackOperations = {
  rideTrack: {
    method: 'get',
    path: '/v1/rides/{rideId}/track',
    summary: "The way of a ride's driver since they got the ride, as GeoJSON, some seconds behind",
    tag: 'rides',
    roles: ['rider', 'driver', 'operator', 'service'],
    request: { params: rideIdParam },
    response: { status: 200, description: 'A feature with the way as a line', body: trackView },
    problems: ['ride_not_found'],
  },
} as const satisfies Record<string, Operation>;
