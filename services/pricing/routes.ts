import type { Router } from 'express';
import type { Pool } from 'pg';
import { z } from 'zod';
import { pricingRequest } from '../../contracts/api/quotes';
import { subjectId } from '../../contracts/shared';
import type { RequireRole } from '../../platform/auth';
import { createMount } from '../../platform/http';
import type { Vault } from '../../platform/personal';
import { blotQuotes } from './erasure';
import type { IssueQuote } from './quotes';

/** What the gateway asks of pricing: not public, with the service's token. */
export function pricingRoutes(
  router: Router,
  requireRole: RequireRole,
  {
    pool,
    vault,
    issueQuote,
  }: {
    readonly pool: Pool;
    readonly vault: Pick<Vault, 'erase'>;
    readonly issueQuote: IssueQuote;
  },
): void {
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

  const erase = {
    method: 'post',
    path: '/internal/subjects/{subjectId}/erase',
    roles: ['service'],
    request: { params: z.strictObject({ subjectId }) },
  } as const;
  mount(erase, async ({ params }) => {
    // Here, too: no quote is made with a key that was at hand.
    await vault.erase(params.subjectId);
    await blotQuotes(pool, params.subjectId);
    return { status: 204 };
  });
}
