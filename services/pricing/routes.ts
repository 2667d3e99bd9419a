import type { Router } from 'express';
import { pricingRequest } from '../../contracts/api/quotes';
import type { RequireRole } from '../../platform/auth';
import { createMount } from '../../platform/http';
import type { IssueQuote } from './quotes';

/** What the gateway asks of pricing: not public, with the service's token. */
export function pricingRoutes(router: Router, requireRole: RequireRole, issueQuote: IssueQuote): void {
  const mount = createMount(router, requireRole);
  const createQuote = {
    method: 'post',
    path: '/internal/quotes',
    roles: ['service'],
    request: { body: pricingRequest },
  } as const;
  mount(createQuote, async ({ body: { riderId, ...request } }) => ({
    status: 201,
    body: await issueQuote(riderId, request),
  }));
}
