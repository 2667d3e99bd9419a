import type { Router } from 'express';
import type { Pool } from 'pg';
import { z } from 'zod';
import { deliveriesQuery, webhookRegistration } from '../../contracts/api/webhooks';
import { uuid } from '../../contracts/shared';
import type { RequireRole } from '../../platform/auth';
import { CodedError } from '../../platform/errors';
import { createMount } from '../../platform/http';
import { isPublicAddress, literalAddress } from './address';
import { createEndpoint, deleteEndpoint, listDeliveries, listEndpoints, rotateSecret } from './endpoints';

export interface WebhookRoutesOptions {
  readonly pool: Pool;
  /** Whether URLs may lead into our own network: for development. */
  readonly privateAddresses: boolean;
}

/** Whom the gateway asks for. */
const owner = z.strictObject({ role: z.enum(['rider', 'operator']), id: z.string().min(1).max(255) });
const roles = ['service'] as const;

/** What the gateway asks of webhooks: not public, with the service's token. */
export function webhookRoutes(router: Router, requireRole: RequireRole, options: WebhookRoutesOptions): void {
  const { pool, privateAddresses } = options;
  const mount = createMount(router, requireRole);
  const path = '/internal/webhooks';
  const one = `${path}/{webhookId}`;
  const params = z.strictObject({ webhookId: uuid });

  mount(
    { method: 'post', path, roles, request: { query: owner, body: webhookRegistration } },
    async ({ query, body }) => {
      // A name is looked up at every post; an address can be refused now.
      const address = literalAddress(new URL(body.url));
      if (!privateAddresses && address !== null && !isPublicAddress(address)) {
        throw new CodedError('webhook_address_refused', 'The address of the URL is not a public one.');
      }
      return { status: 201, body: await createEndpoint(pool, query, body) };
    },
  );
  mount({ method: 'get', path, roles, request: { query: owner } }, async ({ query }) => ({
    status: 200,
    body: { webhooks: await listEndpoints(pool, query) },
  }));
  mount({ method: 'delete', path: one, roles, request: { params, query: owner } }, async (request) => {
    await deleteEndpoint(pool, request.query, request.params.webhookId);
    return { status: 204 };
  });
  mount(
    { method: 'post', path: `${one}/secret`, roles, request: { params, query: owner } },
    async (request) => ({
      status: 200,
      body: await rotateSecret(pool, request.query, request.params.webhookId),
    }),
  );
  const page = z.strictObject({ ...owner.shape, ...deliveriesQuery.shape });
  mount(
    { method: 'get', path: `${one}/deliveries`, roles, request: { params, query: page } },
    async (request) => ({
      status: 200,
      body: await listDeliveries(pool, request.query, request.params.webhookId, request.query),
    }),
  );
}
