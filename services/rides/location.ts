import { z } from 'zod';
import type { Point } from '../../domain/geo';
import type { Client } from '../../platform/client';

const nearestAnswer = z.object({
  drivers: z.array(
    z.object({ driverId: z.string(), lat: z.number(), lng: z.number(), distanceMeters: z.number() }),
  ),
});

/** A driver, where they are, and how far that is from the pickup by the straight line. */
export type NearbyDriver = z.infer<typeof nearestAnswer>['drivers'][number];

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
