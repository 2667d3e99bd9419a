import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { problemPages } from '../../contracts/api/problems';
import type { QuoteRequest, QuoteView } from '../../contracts/api/quotes';
import { standardPolicies, type Policies } from '../../domain/policies';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { createHttpApp, listen } from '../../platform/http';
import type { Pool } from '../../platform/postgres';
import { createIssueQuote } from '../../services/pricing/quotes';
import { pricingRoutes } from '../../services/pricing/routes';
import { createOfferFeed } from '../../services/rides/offerFeed';
import { createRideFeed } from '../../services/rides/rideFeed';
import { gatewayApp, quoteSecret, type Whereabouts } from './apiGateway';
import { database, issuer, ownNamespace, startWorkers } from './apiGround';
import { playedProvider, type PlayedProvider } from './playedProvider';
import { temporalAddress } from './servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
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
  readonly whereabouts: Whereabouts;
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

  const vault = vaultInMemory();
  const quotes = (quoteTtlMs: number) =>
    createIssueQuote({
      pool: pricing,
      vault,
      secret: quoteSecret,
      quoteTtlMs,
      topicPrefix: '',
      now: Date.now,
    });
  const pricingApp = createHttpApp({
    log,
    ready: {},
    problems: problemPages,
    routes: (router) =>
      pricingRoutes(router, requireRole, { pool: pricing, vault, issueQuote: quotes(60_000) }),
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
    const app = gatewayApp({
      ...{ rides, payments, temporal, verify, requireRole, rideFeed, offerFeed, now, log },
      policies: { ...standardPolicies, ...policies },
      whereabouts: api.whereabouts,
      pricing: service(pricingServer.url),
      nobody: service('http://127.0.0.1:9'),
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
