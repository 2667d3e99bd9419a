import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { problemPages } from '../../contracts/api/problems';
import type { QuoteRequest, QuoteView } from '../../contracts/api/quotes';
import type { Point } from '../../domain/geo';
import { standardPolicies, type Policies } from '../../domain/policies';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { createHttpApp, createMount, listen, type Caller } from '../../platform/http';
import type { Pool } from '../../platform/postgres';
import { documentRoutes, gatewayRoutes } from '../../services/gateway/routes';
import { paymentsMovedAt } from '../../services/payments/books/needyPayments';
import { paymentOperatorRoutes } from '../../services/payments/routes/operatorRoutes';
import { providerEventRoutes } from '../../services/payments/news/providerEventRoutes';
import { paymentOverviewRoutes } from '../../services/payments/routes/overviewRoutes';
import { receiptRoute } from '../../services/payments/routes/receiptRoute';
import { createPaymentRoutes } from '../../services/payments/routes/tipAndRefundRoutes';
import { createTellNews } from '../../services/payments/news/tellNews';
import { paymentViewRoutes } from '../../services/payments/routes/viewRoutes';
import { createIssueQuote } from '../../services/pricing/quotes';
import { pricingRoutes } from '../../services/pricing/routes';
import { visibleRide } from '../../services/rides/access';
import { companionRoutes } from '../../services/rides/companionRoutes';
import { driverRoutes } from '../../services/rides/driverRoutes';
import { createOfferFeed } from '../../services/rides/offerFeed';
import { operatorRoutes } from '../../services/rides/operatorRoutes';
import { createRequestRide } from '../../services/rides/requestRide';
import { createReschedule } from '../../services/rides/reschedule';
import { createAct } from '../../services/rides/rideActions';
import { createRideFeed } from '../../services/rides/rideFeed';
import { routeChangeRoutes } from '../../services/rides/routeChanges';
import { rideRoutes } from '../../services/rides/routes';
import { database, issuer, ownNamespace, startWorkers } from './apiGround';
import { playedProvider, type PlayedProvider } from './playedProvider';
import { webhookSecret } from './providerEvents';
import { temporalAddress } from './servers';

const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
/** What quotes are signed with. */
export const quoteSecret = 'the secret of the quotes';

/** The fields that tests read; `toMatchObject` looks at the others. */
export interface Body {
  readonly rideId: string;
  readonly status: string;
  readonly type: string;
  readonly startCode: string;
  readonly driverId: string | null;
  readonly requestId: string;
  readonly errors: readonly { readonly pointer: string }[];
  readonly [more: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Call {
  readonly as?: readonly [role: string, sub: string];
  readonly body?: unknown;
  /** Sent as it is instead of `body`. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Another gateway than the first. */
  readonly url?: string;
}

export interface ApiOptions {
  /** Without them no ride is carried: for what is refused before. */
  readonly workers: boolean;
  readonly policies: Partial<Policies>;
}

/** The public API in front of a real Postgres and a real Temporal; the payment provider and the map are played. */
export interface Api {
  readonly url: string;
  readonly rides: Pool;
  readonly pricing: Pool;
  readonly payments: Pool;
  /** Who is near every pickup. */
  readonly nearby: string[];
  /** The server that carries the rides. */
  readonly temporal: Client;
  /** Where drivers are, seen just now unless it says how long ago; of others the map does not know. */
  readonly whereabouts: Map<string, (Point & { readonly ageMs?: number }) | null>;
  readonly provider: PlayedProvider;
  /** Moves the gateway's clock. */
  clockMs: number;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  token(role: string, sub: string): Promise<string>;
  quote(rider: string, ttlMs?: number, changes?: Partial<QuoteRequest>): Promise<QuoteView>;
  /** A gateway on the same databases that finds no Temporal. */
  withoutTemporal(): Promise<string>;
  stop(): Promise<void>;
}

export async function startApi({ workers, policies }: ApiOptions): Promise<Api> {
  const stopping = new AbortController();
  const stops: (() => Promise<unknown>)[] = [];
  const [rides, pricing] = [await database('rides', stops), await database('pricing', stops)];
  const payments = await database('payments', stops);
  const { verify, token } = await issuer();
  const requireRole = createRequireRole(verify);
  const nearby: string[] = [];
  const provider = playedProvider();
  const namespace = workers ? await ownNamespace() : 'default';
  if (workers) await startWorkers({ rides, payments, nearby, namespace, provider }, stops);

  const quotes = (quoteTtlMs: number) =>
    createIssueQuote({ pool: pricing, secret: quoteSecret, quoteTtlMs, topicPrefix: '', now: Date.now });
  const pricingApp = createHttpApp({
    log,
    ready: {},
    problems: problemPages,
    routes: (router) => pricingRoutes(router, requireRole, quotes(60_000)),
  });
  const pricingServer = await listen(pricingApp, { port: 0, portVariable: '' });
  stops.push(() => pricingServer.close());

  const rideFeed = createRideFeed(rides);
  const offerFeed = createOfferFeed(rides, Date.now);
  const serviceToken = await token('service', 'gateway');
  const service = (baseUrl: string) =>
    createClient({ name: 'pricing', baseUrl, token: serviceToken, deadlineMs: 2_000 });
  const now = (): number => Date.now() + api.clockMs;

  async function gateway(address: string): Promise<string> {
    const temporal = new Client({ connection: Connection.lazy({ address }), namespace });
    const app = createHttpApp({
      log,
      ready: {},
      problems: problemPages,
      rawRoutes: (router) =>
        providerEventRoutes(router, createMount(router, requireRole), {
          ...{ pool: payments, secret: webhookSecret },
          tell: createTellNews({ pool: payments, temporal, policies: standardPolicies, deadlineMs: 3_000 }),
        }),
      routes: (router) => {
        const mount = createMount(router, requireRole);
        documentRoutes(router);
        gatewayRoutes(mount, {
          pricing: service(pricingServer.url),
          analytics: service('http://127.0.0.1:9'),
          audit: service('http://127.0.0.1:9'),
          positions: { offer: (positions) => positions.length < 50 },
        });
        const requestRide = createRequestRide({
          pool: rides,
          temporal,
          quoteSecret,
          policies: { ...standardPolicies, ...policies },
          startDeadlineMs: 3_000,
          now,
        });
        const act = createAct({
          ...{ pool: rides, temporal, deadlineMs: 3_000 },
          policies: { ...standardPolicies, ...policies },
        });
        const { whereabouts } = api;
        const rideOptions = {
          ...{
            pool: rides,
            act,
            policies: { ...standardPolicies, ...policies },
            codeSecret: 'the codes',
            now,
          },
          whereIs: async (driverId: string, maxAgeMs = 60_000) => {
            const seen = whereabouts.get(driverId);
            if (seen === undefined) return 'unknown';
            return seen !== null && (seen.ageMs ?? 0) <= maxAgeMs ? { ageMs: 0, ...seen } : null;
          },
        } as const;
        const reschedule = createReschedule({ ...rideOptions, quoteSecret });
        rideRoutes(mount, { ...rideOptions, requestRide, reschedule, feed: rideFeed });
        routeChangeRoutes(mount, { ...rideOptions, quoteSecret });
        operatorRoutes(mount, {
          ...rideOptions,
          paymentsMovedAt: (rideIds) => paymentsMovedAt(payments, rideIds),
        });
        companionRoutes(mount, { ...rideOptions, publicUrl: 'https://rides.example', topicPrefix: '' });
        const paymentOptions = {
          ...{ payments, temporal, deadlineMs: 3_000 },
          rideOf: (caller: Caller, rideId: string) => visibleRide(rides, rideId, caller),
        };
        receiptRoute(mount, paymentOptions);
        createPaymentRoutes(mount, paymentOptions);
        paymentViewRoutes(mount, paymentOptions);
        paymentOperatorRoutes(mount, paymentOptions);
        paymentOverviewRoutes(mount, { ...paymentOptions, now });
        driverRoutes(mount, {
          ...{ pool: rides, temporal, feed: offerFeed, topicPrefix: '', log, tellDeadlineMs: 1_000, now },
        });
      },
    });
    const server = await listen(app, { port: 0, portVariable: '', closeGraceMs: 500 });
    stops.push(async () => {
      await server.close();
      await temporal.connection.close();
    });
    return server.url;
  }

  const api: Api = {
    url: '',
    rides,
    pricing,
    payments,
    nearby,
    provider,
    temporal: new Client({ connection: Connection.lazy({ address: temporalAddress() }), namespace }),
    whereabouts: new Map(),
    clockMs: 0,
    token,
    async call(method, path, { as, body, raw, headers, url } = {}) {
      const response = await fetch(`${url ?? api.url}${path}`, {
        method,
        headers: {
          ...(as ? { authorization: `Bearer ${await token(...as)}` } : {}),
          ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(raw !== undefined ? { body: raw } : body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: (text === '' ? {} : JSON.parse(text)) as Body,
      };
    },
    quote: (rider, ttlMs = 60_000, changes = {}) =>
      quotes(ttlMs)(rider, {
        pickup: { lat: 40.73, lng: -73.99 },
        stops: [],
        dropoff: { lat: 40.76, lng: -73.97 },
        fixedStops: 0,
        product: 'standard',
        scheduledFor: null,
        ...changes,
      }),
    withoutTemporal: () => gateway('127.0.0.1:9'),
    async stop() {
      await api.temporal.connection.close();
      stopping.abort();
      for (const stop of stops.reverse()) await stop();
    },
  };
  const url = await gateway(temporalAddress());
  for (const feed of [rideFeed, offerFeed]) {
    const done = feed.run({ everyMs: 30, signal: stopping.signal, log });
    stops.push(() => done);
  }
  return Object.assign(api, { url });
}

/** A key that was never used. */
export const freshKey = (): string => uuidv7();
