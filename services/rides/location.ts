import { z } from 'zod';
import type { Point } from '../../domain/geo';
import type { Client } from '../../platform/client';

const nearestAnswer = z.object({ drivers: z.array(z.object({ driverId: z.string() })) });

/** Asks the location service who is near a point, nearest first. */
export type FindNearby = (pickup: Point, radiusMeters: number) => Promise<string[]>;

/** How many drivers nearby are looked at: most of a busy city's are on a ride. */
const NEAREST_LIMIT = 50;

/** @throws DependencyUnavailable where location does not answer */
export function createFindNearby(location: Client, maxAgeMs: number): FindNearby {
  return async ({ lat, lng }, radiusMeters) => {
    const { drivers } = await location.call('GET', '/internal/nearest', {
      query: { lat, lng, radiusMeters, maxAgeMs, limit: NEAREST_LIMIT },
      response: nearestAnswer,
    });
    return drivers.map((driver) => driver.driverId);
  };
}
