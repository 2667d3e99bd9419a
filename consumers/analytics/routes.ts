import type { Router } from 'express';
import type { Pool } from 'pg';
import { demandQuery } from '../../contracts/api/ops';
import type { RequireRole } from '../../platform/auth';
import { createMount } from '../../platform/http';
import { readDemand } from './store';

/** What the gateway asks of analytics: not public, with the service's token. */
export function analyticsRoutes(router: Router, requireRole: RequireRole, pool: Pool): void {
  const mount = createMount(router, requireRole);
  const demand = {
    method: 'get',
    path: '/internal/demand',
    roles: ['service'],
    request: { query: demandQuery },
  } as const;
  mount(demand, async ({ query }) => ({ status: 200, body: await readDemand(pool, query) }));
}
