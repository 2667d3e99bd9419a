import type { Router } from 'express';
import { validate as isUuid } from 'uuid';
import { operations } from '../../contracts/api/operations';
import { timelineView } from '../../contracts/api/ops';
import { quoteView } from '../../contracts/api/quotes';
import { openApiDocument } from '../../contracts/openapi';
import { DomainError } from '../../domain/errors';
import { bookedSurge } from '../../domain/fare';
import type { Ride } from '../../domain/ride';
import type { Client } from '../../platform/client';
import { builtInProblems, type Caller, type MountOperation } from '../../platform/http';
import type { Vault } from '../../platform/personal';

export interface GatewayRoutesOptions {
  readonly pricing: Client;
  /** The ride, where the caller may know of it. @throws DomainError `ride_not_found` */
  readonly rideOf: (caller: Caller, rideId: string) => Promise<Ride>;
  readonly audit: Client;
  /** Opens what is personal in facts, for operators. */
  readonly vault: Pick<Vault, 'open'>;
}

/** What the gateway asks of other services. */
export function gatewayRoutes(mount: MountOperation, options: GatewayRoutesOptions): void {
  const { pricing, rideOf, audit, vault } = options;

  mount(operations.createQuote, async ({ body, caller, signal }) => {
    const { changesRideId } = body;
    const changed = changesRideId && { bookedSurge: bookedSurge(await rideOf(caller, changesRideId)) };
    return {
      status: 201,
      body: await pricing.call('POST', '/internal/quotes', {
        body: { ...body, ...changed, riderId: caller.sub },
        response: quoteView,
        signal,
      }),
    };
  });

  mount(operations.timeline, async ({ params, signal }) => {
    const { rideId } = params;
    if (!isUuid(rideId)) throw new DomainError('ride_not_found', 'There is no ride with this id.');
    const path = `/internal/rides/${rideId}/timeline`;
    const timeline = await audit.call('GET', path, { response: timelineView, signal });
    if (timeline.facts.length === 0)
      throw new DomainError('ride_not_found', 'Nothing is known of this ride.');
    const facts = await Promise.all(
      timeline.facts.map(async (fact) => ({ ...fact, data: await vault.open(fact.id, fact.data) })),
    );
    return { status: 200, body: { ...timeline, facts } };
  });
}

/** The API's description, for whoever asks. */
export function documentRoutes(router: Router): void {
  const document = openApiDocument(builtInProblems);
  router.get('/openapi.json', (_req, res) => void res.json(document));
}
