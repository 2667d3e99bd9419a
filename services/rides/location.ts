import { z } from 'zod';
import type { Point } from '../../domain/geo';
import type { Client } from '../../platform/client';

const nearestAnswer = z.object({
  drivers: z.array(
    z.object({
      driverId: z.string(),
      lat: z.number(),
      lng: z.number(),
      distanceMeters: z.number(),
      ageMs: z.number(),
    }),
  ),
});

/** A driver, where they were `ageMs` ago, and how far that is from the pickup by the straight line. */
export type NearbyDriver = z.infer<typeof nearestAnswer>['drivers'][number];

const positionAnswer = z.object({
  position: z.object({ lat: z.number(), lng: z.number(), ageMs: z.number() }).nullable(),
});

/** Where a driver is: a point, null where nothing fresh is known, `unknown` where location does not answer. */
export type WhereIs = (driverId: string) => Promise<Point | null | 'unknown'>;

/** Never throws: a ride goes on without the map. Positions older than `maxAgeMs` are as good as none. */
export function createWhereIs(location: Client, maxAgeMs: number): WhereIs {
  return async (driverId) => {
    try {
      const { position } = await location.call(
        'GET',
        `/internal/drivers/${encodeURIComponent(driverId)}/position`,
        { response: positionAnswer },
      );
      return position !== null && position.ageMs <= maxAgeMs ? position : null;
    } catch {
      return 'unknown';
    }
  };
}

/** Asks the location service for at most `limit` drivers near a point, nearest first. */
export type FindNearby = (
  pickup: Point,
  options: { readonly radiusMeters: number; readonly limit: number },
) => Promise<NearbyDriver[]>;

/** @throws DependencyUnavailable where location does not answer */
export function createFindNearby(location: Client, maxAgeMs: number): FindNearby {
  return async ({ lat, lng }, { radiusMeters, limit }) => {
    const { drivers } = await location.call('GET', '/internal/nearest', {
      query: { lat, lng, radiusMeters, maxAgeMs, limit },
      response: nearestAnswer,
    });
    return drivers;
  };
}
