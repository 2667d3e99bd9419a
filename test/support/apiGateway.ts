import type { Client } from '@temporalio/client';
import type { Express } from 'express';
import { problemPages } from '../../contracts/api/problems';
import type { Point } from '../../domain/geo';
import type { Policies } from '../../domain/policies';
import type { RequireRole, Verifier } from '../../platform/auth';
import type { Client as ServiceClient } from '../../platform/client';
import { createHttpApp, createMount, type Caller } from '../../platform/http';
import type { Logger } from '../../platform/log';
import type { Pool } from '../../platform/postgres';
import { analyticsRoutes } from '../../services/gateway/analyticsRoutes';
import { KnownDrivers } from '../../services/gateway/ingest/knownDrivers';
import { ingestRoutes } from '../../services/gateway/ingest/routes';
import { withinRoute } from '../../services/gateway/withinRoute';
import { documentRoutes, gatewayRoutes } from '../../services/gateway/routes';
import { paymentsMovedAt } from '../../services/payments/books/needyPayments';
import { providerEventRoutes } from '../../services/payments/news/providerEventRoutes';
import { createTellNews } from '../../services/payments/news/tellNews';
import { paymentOperatorRoutes } from '../../services/payments/routes/operatorRoutes';
import { paymentOverviewRoutes } from '../../services/payments/routes/overviewRoutes';
import { receiptRoute } from '../../services/payments/routes/receiptRoute';
import { createPaymentRoutes } from '../../services/payments/routes/tipAndRefundRoutes';
import { paymentViewRoutes } from '../../services/payments/routes/viewRoutes';
import { visibleRide } from '../../services/rides/access';
import { companionRoutes } from '../../services/rides/companionRoutes';
import { driverRoutes } from '../../services/rides/driverRoutes';
import type { createOfferFeed } from '../../services/rides/offerFeed';
import { operatorRoutes } from '../../services/rides/operatorRoutes';
import { createRequestRide } from '../../services/rides/requestRide';
import { createReschedule } from '../../services/rides/reschedule';
import { createAct } from '../../services/rides/rideActions';
import type { createRideFeed } from '../../services/rides/rideFeed';
import { routeChangeRoutes } from '../../services/rides/routeChanges';
import { rideRoutes } from '../../services/rides/routes';
import { webhookSecret } from './providerEvents';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** What quotes are signed with. */
export const quoteSecret = 'the secret of the quotes';

/** Where drivers are, seen just now unless it says how long ago; of others the map does not know. */
export type Whereabouts = Map<string, (Point & { readonly ageMs?: number }) | null>;

export interface GatewayParts {
  readonly rides: Pool;
  readonly payments: Pool;
  readonly temporal: Client;
  readonly verify: Verifier;
  readonly requireRole: RequireRole;
  readonly policies: Policies;
  readonly rideFeed: ReturnType<typeof createRideFeed>;
  readonly offerFeed: ReturnType<typeof createOfferFeed>;
  readonly whereabouts: Whereabouts;
  readonly pricing: ServiceClient;
  /** In the place of services that are not there. */
  readonly nobody: ServiceClient;
  readonly now: () => number;
  readonly log: Logger;
}

/** The gateway with its routes of rides and payments, put together as its process does. */
export function gatewayApp(parts: GatewayParts): Express {
  const { rides, payments, temporal, requireRole, policies, whereabouts, nobody, now, log } = parts;
  return createHttpApp({
    log,
    ready: {},
    problems: problemPages,
    direct: {
      routes: ingestRoutes({
        positions: { offer: (positions) => positions.length < 50, isFull: () => false },
        ...{ drivers: new KnownDrivers(rides), now },
      }),
      ...{ verify: parts.verify, budgetBytes: 4_000_000 },
    },
    rawRoutes: (router) =>
      providerEventRoutes(router, createMount(router, requireRole), {
        ...{ pool: payments, secret: webhookSecret },
        tell: createTellNews({ pool: payments, temporal, policies, deadlineMs: 3_000 }),
      }),
    routes: (router) => {
      const mount = createMount(router, requireRole);
      const rideOf = (caller: Caller, rideId: string) => visibleRide(rides, rideId, caller);
      documentRoutes(router);
      gatewayRoutes(mount, {
        pricing: parts.pricing,
        rideOf,
        audit: nobody,
        vault: vaultInMemory(),
      });
      analyticsRoutes(mount, nobody);
      withinRoute(mount, nobody);
      const requestRide = createRequestRide({
        ...{
          pool: rides,
          vault: vaultInMemory(),
          temporal,
          quoteSecret,
          policies,
          startDeadlineMs: 3_000,
          now,
        },
      });
      const rideOptions = {
        ...{ pool: rides, policies, codeSecret: 'the codes', now },
        act: createAct({ pool: rides, temporal, deadlineMs: 3_000, policies }),
        whereIs: async (driverId: string, maxAgeMs = 60_000) => {
          const seen = whereabouts.get(driverId);
          if (seen === undefined) return 'unknown';
          return seen !== null && (seen.ageMs ?? 0) <= maxAgeMs ? { ageMs: 0, ...seen } : null;
        },
      } as const;
      const reschedule = createReschedule({ ...rideOptions, quoteSecret });
      rideRoutes(mount, { ...rideOptions, requestRide, reschedule, feed: parts.rideFeed });
      routeChangeRoutes(mount, { ...rideOptions, quoteSecret });
      operatorRoutes(mount, {
        ...rideOptions,
        paymentsMovedAt: (rideIds) => paymentsMovedAt(payments, rideIds),
      });
      companionRoutes(mount, { ...rideOptions, publicUrl: 'https://rides.example', topicPrefix: '' });
      const paymentOptions = {
        ...{ payments, temporal, deadlineMs: 3_000 },
        rideOf,
      };
      receiptRoute(mount, paymentOptions);
      createPaymentRoutes(mount, paymentOptions);
      paymentViewRoutes(mount, paymentOptions);
      paymentOperatorRoutes(mount, { ...paymentOptions, policies });
      paymentOverviewRoutes(mount, { ...paymentOptions, now });
      driverRoutes(mount, {
        ...{ pool: rides, temporal, feed: parts.offerFeed, topicPrefix: '', log, tellDeadlineMs: 1_000, now },
        vault: vaultInMemory(),
      });
    },
  });
}
