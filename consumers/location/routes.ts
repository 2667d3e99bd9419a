import type { Router } from 'express';
import { z } from 'zod';
import { withinBody } from '../../contracts/api/within';
import { point } from '../../contracts/shared';
import type { RequireRole } from '../../platform/auth';
import { createMount } from '../../platform/http';
import type { Finder } from './finder';
import type { PositionsHandler } from './handler';
import type { PositionIndex } from './positionIndex';

/** Further away than anybody is asked to drive to a pickup. */
const MAX_RADIUS_METERS = 50_000;

/** More than any batch of offers looks at. */
const MAX_DRIVERS = 500;

const inQuery = (text: z.ZodNumber) => z.string().min(1).transform(Number).pipe(text);

const maxAge = inQuery(z.int().min(1).max(3_600_000));

export const nearestQuery = z.strictObject({
  lat: inQuery(point.shape.lat),
  lng: inQuery(point.shape.lng),
  radiusMeters: inQuery(z.number().positive().max(MAX_RADIUS_METERS)),
  limit: inQuery(z.int().min(1).max(MAX_DRIVERS)),
  maxAgeMs: maxAge,
  /** Bits of `Takes`: only drivers who take all of it. */
  takes: inQuery(z.int().min(0).max(255)).optional(),
});

/** More than a map draws. */
const MAX_ON_MAP = 12_000;

export const fleetQuery = z
  .strictObject({
    south: inQuery(point.shape.lat),
    west: inQuery(point.shape.lng),
    north: inQuery(point.shape.lat),
    east: inQuery(point.shape.lng),
    limit: inQuery(z.int().min(1).max(MAX_ON_MAP)),
    maxAgeMs: maxAge,
  })
  .refine(({ south, west, north, east }) => south < north && west < east, {
    message: 'a box goes from its south-western corner to its north-eastern one',
  });

/**
 * What dispatch and the console's map ask of location, and location processes of each other: not public, with the
 * service's token.
 */
export function locationRoutes(
  router: Router,
  requireRole: RequireRole,
  options: {
    readonly finder: Finder;
    readonly index: Pick<PositionIndex, 'size' | 'bytes' | 'digest'>;
    readonly handler: Pick<PositionsHandler, 'counts'>;
  },
): void {
  const mount = createMount(router, requireRole);
  const { finder, index, handler } = options;
  const get = (path: string) => ({ method: 'get', path, roles: ['service'] }) as const;
  const post = (path: string) => ({ method: 'post', path, roles: ['service'] }) as const;
  const asking = { query: nearestQuery };
  const ofDriver = {
    params: z.strictObject({ driverId: z.string() }),
    // Of any age unless told.
    query: z.strictObject({ maxAgeMs: maxAge.default(Infinity) }),
  };

  // Drivers within the radius, straight, who could be at the point first if they were free, in that order.
  mount({ ...get('/internal/nearest'), request: asking }, async ({ query }) => ({
    status: 200,
    body: { drivers: await finder.nearest(query) },
  }));
  mount(
    { ...get('/internal/drivers/{driverId}/position'), request: ofDriver },
    async ({ params, query }) => ({
      status: 200,
      body: { position: await finder.find(params.driverId, query.maxAgeMs) },
    }),
  );

  mount({ ...get('/internal/fleet'), request: { query: fleetQuery } }, async ({ query }) => {
    const record = await finder.fleet(query);
    return { status: 200, body: { records: record === null ? [] : [record] } };
  });

  mount({ ...post('/internal/within'), request: { body: withinBody } }, async ({ body }) => ({
    status: 200,
    body: await finder.within(body),
  }));

  // Of what this process holds, for the others.
  mount({ ...post('/internal/here/within'), request: { body: withinBody } }, ({ body }) => ({
    status: 200,
    body: finder.withinHere(body),
  }));
  mount({ ...get('/internal/here/nearest'), request: asking }, ({ query }) => ({
    status: 200,
    body: finder.nearestHere(query),
  }));
  mount({ ...get('/internal/here/drivers/{driverId}/position'), request: ofDriver }, ({ params, query }) => ({
    status: 200,
    body: finder.findHere(params.driverId, query.maxAgeMs),
  }));
  mount({ ...get('/internal/here/fleet'), request: { query: fleetQuery } }, ({ query }) => ({
    status: 200,
    body: finder.fleetHere(query),
  }));
  mount({ ...get('/internal/positions'), request: {} }, () => ({
    status: 200,
    body: { drivers: index.size, bytes: index.bytes, digest: index.digest(), ...handler.counts },
  }));
}
