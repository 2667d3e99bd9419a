import { z } from 'zod';
import { takesFor, takesForFree } from '../../contracts/positionRecord';
import type { Product } from '../../domain/fare';
import type { Point } from '../../domain/geo';
import type { Client } from '../../platform/client';

/** An older position of a driver, in real time at any speed, is as good as none: who is silent is offered no rides. */
const FRESH_MS = 60_000;

const nearestAnswer = z.object({
  drivers: z.array(
    z.object({
      driverId: z.string(),
      lat: z.number(),
      lng: z.number(),
      ageMs: z.number(),
    }),
  ),
});

/** A driver, and where they were `ageMs` ago. */
export type NearbyDriver = z.infer<typeof nearestAnswer>['drivers'][number];

const positionAnswer = z.object({
  position: z.object({ lat: z.number(), lng: z.number(), ageMs: z.number() }).nullable(),
});

/** Where a driver was seen, and how long ago. */
export type SeenAt = Point & { readonly ageMs: number };

/**
 * Where a driver is: null where nothing is known that is at most `maxAgeMs` old (as a rule, what is fresh), `unknown`
 * where location does not answer.
 */
export type WhereIs = (driverId: string, maxAgeMs?: number) => Promise<SeenAt | null | 'unknown'>;

/** Never throws: a ride goes on without the map. */
export function createWhereIs(location: Client): WhereIs {
  return async (driverId, maxAgeMs = FRESH_MS) => {
    try {
      const { position } = await location.call(
        'GET',
        `/internal/drivers/${encodeURIComponent(driverId)}/position`,
        { response: positionAnswer, ...(Number.isFinite(maxAgeMs) && { query: { maxAgeMs } }) },
      );
      return position;
    } catch {
      return 'unknown';
    }
  };
}

/**
 * Asks the location service for drivers on a shift, in a car that serves the product, within `radiusMeters` (straight) of a
 * point: at most `limit` of those who are on no ride, as far as it knows, and as many of all, who may be about to finish
 * one. Each time those who, were they free, would be there first.
 */
export type FindNearby = (
  pickup: Point,
  options: { readonly product: Product; readonly radiusMeters: number; readonly limit: number },
) => Promise<NearbyDriver[]>;

/** @throws DependencyUnavailable where location does not answer */
export function createFindNearby(location: Client): FindNearby {
  return async ({ lat, lng }, { product, radiusMeters, limit }) => {
    const ask = (takes: number) =>
      location.call('GET', '/internal/nearest', {
        query: { lat, lng, radiusMeters, maxAgeMs: FRESH_MS, limit, takes },
        response: nearestAnswer,
      });
    const answers = await Promise.all([ask(takesForFree(product)), ask(takesFor(product))]);
    const drivers = answers.flatMap((answer) => answer.drivers);
    return [...new Map(drivers.map((driver) => [driver.driverId, driver])).values()];
  };
}
