import { z } from 'zod';
import { takesFor } from '../../contracts/positionRecord';
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
        { response: positionAnswer },
      );
      return position !== null && position.ageMs <= maxAgeMs ? position : null;
    } catch {
      return 'unknown';
    }
  };
}

/**
 * Asks the location service for at most `limit` drivers on a shift, in a car that serves the product, within `radiusMeters` (straight) of a point: those who, were they
 * free, would be there first, in that order.
 */
export type FindNearby = (
  pickup: Point,
  options: { readonly product: Product; readonly radiusMeters: number; readonly limit: number },
) => Promise<NearbyDriver[]>;

/** @throws DependencyUnavailable where location does not answer */
export function createFindNearby(location: Client): FindNearby {
  return async ({ lat, lng }, { product, radiusMeters, limit }) => {
    const { drivers } = await location.call('GET', '/internal/nearest', {
      query: { lat, lng, radiusMeters, maxAgeMs: FRESH_MS, limit, takes: takesFor(product) },
      response: nearestAnswer,
    });
    return drivers;
  };
}
