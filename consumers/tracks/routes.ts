import type { Router } from 'express';
import { validate as isUuid } from 'uuid';
import { rideIdParam } from '../../contracts/api/rideOperation';
import type { RequireRole } from '../../platform/auth';
import { createMount } from '../../platform/http';
import type { Pool } from '../../platform/postgres';
import { readPath } from './paths/read';

/** What the gateway asks of tracks: not public, with the service's token. */
export function tracksRoutes(router: Router, requireRole: RequireRole, pool: Pool): void {
  const mount = createMount(router, requireRole);
  mount(
    {
      ...{ method: 'get', path: '/internal/rides/{rideId}/path', roles: ['service'] },
      request: { params: rideIdParam },
    },
    async ({ params: { rideId } }) => ({
      status: 200,
      body: { path: isUuid(rideId) ? await readPath(pool, rideId) : null },
    }),
  );
}
