import type { Router } from 'express';
import type { Pool } from 'pg';
import { demandQuery, forecastQuery, hoursQuery, surgeQuery } from '../../contracts/api/analytics';
import type { RequireRole } from '../../platform/auth';
import { createMount, type OperationShape } from '../../platform/http';
import { readForecast } from './forecast';
import { readDemand, readHours, readSurges } from './readings';

const asked = <const P extends string, const Q extends OperationShape['request']['query']>(
  path: P,
  query: Q,
) => ({ method: 'get', path, roles: ['service'], request: { query } }) as const;

/** What the gateway asks of analytics: not public, with the service's token. */
export function analyticsRoutes(router: Router, requireRole: RequireRole, pool: Pool): void {
  const mount = createMount(router, requireRole);
  mount(asked('/internal/demand', demandQuery), async ({ query }) => ({
    status: 200,
    body: await readDemand(pool, query),
  }));
  mount(asked('/internal/hours', hoursQuery), async ({ query }) => ({
    status: 200,
    body: await readHours(pool, query),
  }));
  mount(asked('/internal/surges', surgeQuery), async ({ query }) => ({
    status: 200,
    body: await readSurges(pool, query, Date.now()),
  }));
  mount(asked('/internal/forecast', forecastQuery), async ({ query }) => ({
    status: 200,
    body: await readForecast(pool, query, Date.now()),
  }));
}
