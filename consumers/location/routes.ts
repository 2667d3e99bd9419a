import type { Router } from 'express';
import { z } from 'zod';
import { point } from '../../contracts/shared';
import type { RequireRole } from '../../platform/auth';
import { createMount } from '../../platform/http';
import type { PositionsHandler } from './handler';
import type { PositionIndex } from './positionIndex';

/** Further away than anybody is asked to drive to a pickup. */
const MAX_RADIUS_METERS = 50_000;

/** More than any batch of offers looks at. */
const MAX_DRIVERS = 500;

const inQuery = (text: z.ZodNumber) => z.string().min(1).transform(Number).pipe(text);

export const nearestQuery = z.strictObject({
  lat: inQuery(point.shape.lat),
  lng: inQuery(point.shape.lng),
  radiusMeters: inQuery(z.number().positive().max(MAX_RADIUS_METERS)),
  limit: inQuery(z.int().min(1).max(MAX_DRIVERS)),
  maxAgeMs: inQuery(z.int().min(1).max(3_600_000)),
});

/** What dispatch asks of location: not public, with the service's token. */
export function locationRoutes(
  router: Router,
  requireRole: RequireRole,
  options: {
    readonly index: PositionIndex;
    readonly handler: Pick<PositionsHandler, 'counts'>;
    readonly now: () => number;
  },
): void {
  const mount = createMount(router, requireRole);
  const nearest = {
    method: 'get',
    path: '/internal/nearest',
    roles: ['service'],
    request: { query: nearestQuery },
  } as const;
  mount(nearest, ({ query }) => ({
    status: 200,
    body: { drivers: options.index.nearest({ ...query, nowMs: options.now() }) },
  }));

  const one = {
    method: 'get',
    path: '/internal/drivers/{driverId}/position',
    roles: ['service'],
    request: { params: z.strictObject({ driverId: z.string() }) },
  } as const;
  mount(one, ({ params }) => ({
    status: 200,
    body: { position: options.index.find(params.driverId, options.now()) },
  }));

  const summary = { method: 'get', path: '/internal/positions', roles: ['service'], request: {} } as const;
  mount(summary, () => ({
    status: 200,
    body: { drivers: options.index.size, ...options.handler.counts },
  }));
}
