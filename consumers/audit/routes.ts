import type { Router } from 'express';
import type { Pool } from 'pg';
import { z } from 'zod';
import { uuid } from '../../contracts/shared';
import type { RequireRole } from '../../platform/auth';
import { createMount } from '../../platform/http';
import { readTimeline } from './timeline';

/** What the gateway asks of the audit store: not public, with the service's token. */
export function auditRoutes(router: Router, requireRole: RequireRole, pool: Pool): void {
  const mount = createMount(router, requireRole);
  const timeline = {
    method: 'get',
    path: '/internal/rides/{rideId}/timeline',
    roles: ['service'],
    request: { params: z.strictObject({ rideId: uuid }) },
  } as const;
  mount(timeline, async ({ params: { rideId } }) => ({
    status: 200,
    // Facts' keys are lower case; a UUID in a path may not be.
    body: await readTimeline(pool, rideId.toLowerCase()),
  }));
}
