import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { generateKeyPair, jwtVerify, SignJWT } from 'jose';
import Long from 'long';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { createRideActivities } from '../../activities/rides';
import { problemPages } from '../../contracts/api/problems';
import type { QuoteView } from '../../contracts/api/quotes';
import { standardPolicies, type Policies } from '../../domain/policies';
import { createRequireRole, type Verifier } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { CodedError } from '../../platform/errors';
import { createHttpApp, createMount, listen } from '../../platform/http';
import { createPool, migrate, migrationSet, outboxMigrations, type Pool } from '../../platform/postgres';
import { documentRoutes, gatewayRoutes } from '../../services/gateway/routes';
import { createPaymentRoutes } from '../../services/payments/routes';
import { createIssueQuote } from '../../services/pricing/quotes';
import { pricingRoutes } from '../../services/pricing/routes';
import { visibleRide } from '../../services/rides/access';
import { driverRoutes } from '../../services/rides/driverRoutes';
import { createOfferFeed } from '../../services/rides/offerFeed';
import { createRequestRide } from '../../services/rides/requestRide';
import { createAct } from '../../services/rides/rideActions';
import { createRideFeed } from '../../services/rides/rideFeed';
import { rideRoutes } from '../../services/rides/routes';
import { fakePayments } from './fakePayments';
import { eventually, workflowBundle } from './rideSaga';

const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
const quoteSecret = 'the secret of the quotes';

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

/** The public API in front of a real Postgres and a real Temporal; the payment provider and the map are played. */
export interface Api {
  readonly url: string;
  readonly rides: Pool;
  readonly pricing: Pool;
  /** Who is near every pickup. */
  readonly nearby: string[];
  /** Moves the gateway's clock. */
  clockMs: number;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  token(role: string, sub: string): Promise<string>;
  quote(rider: string, ttlMs?: number): Promise<QuoteView>;
  /** A gateway on the same databases that finds no Temporal. */
  withoutTemporal(): Promise<string>;
  stop(): Promise<void>;
}

export async function startApi(policies: Partial<Policies> = {}): Promise<Api> {
  const stopping = new AbortController();
  const stops: (() => Promise<unknown>)[] = [];
  const [rides, pricing] = [await database('rides', stops), await database('pricing', stops)];
  const { verify, token } = await issuer();
  const requireRole = createRequireRole(verify);
  const nearby: string[] = [];
  const namespace = await ownNamespace();
  stops.push(...(await workers(rides, nearby, namespace)));

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
        const act = createAct({ pool: rides, temporal, deadlineMs: 3_000 });
        rideRoutes(mount, { pool: rides, requestRide, act, feed: rideFeed, codeSecret: 'the codes' });
        createPaymentRoutes(mount, {
          temporal,
          rideOf: (caller, rideId) => visibleRide(rides, rideId, caller),
          deadlineMs: 3_000,
        });
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
    nearby,
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
    quote: (rider, ttlMs = 60_000) =>
      quotes(ttlMs)(rider, {
        pickup: { lat: 40.73, lng: -73.99 },
        dropoff: { lat: 40.76, lng: -73.97 },
        product: 'standard',
      }),
    withoutTemporal: () => gateway('127.0.0.1:9'),
    async stop() {
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

const temporalAddress = (): string => {
  const address = process.env['TEMPORAL_ADDRESS'];
  if (!address) throw new Error('TEMPORAL_ADDRESS is not set: npm test starts the servers and sets it');
  return address;
};

/** A database of this test file's own, with the migrations of its service. */
async function database(service: string, stops: (() => Promise<unknown>)[]): Promise<Pool> {
  const adminUrl = process.env['POSTGRES_URL'];
  if (!adminUrl) throw new Error('POSTGRES_URL is not set: npm test starts the servers and sets it');
  const admin = createPool(adminUrl, { applicationName: 'test', max: 1, statementTimeoutMs: 60_000 });
  const name = `api_${service}_${randomUUID().replaceAll('-', '')}`;
  await admin.query(`create database ${name}`);
  const url = Object.assign(new URL(adminUrl), { pathname: name }).toString();
  await migrate(url, [outboxMigrations, migrationSet(service, `services/${service}/migrations`)]);
  const pool = createPool(url, { applicationName: 'api test' });
  stops.push(async () => {
    await pool.end();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  });
  return pool;
}

async function issuer(): Promise<{ verify: Verifier; token: Api['token'] }> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  return {
    token: (role, sub) =>
      new SignJWT({ role })
        .setProtectedHeader({ alg: 'EdDSA' })
        .setSubject(sub)
        .setExpirationTime('5m')
        .sign(privateKey),
    verify: async (text) => {
      const verified = await jwtVerify(text, publicKey).catch(() => null);
      if (verified === null) throw new CodedError('unauthenticated', 'the token is not valid');
      return { sub: verified.payload.sub ?? '', role: String(verified.payload['role']) };
    },
  };
}

/** A namespace of this test file's own: other files' workers listen on queues of the same names. */
async function ownNamespace(): Promise<string> {
  const namespace = `api-${randomUUID()}`;
  const connection = await Connection.connect({ address: temporalAddress() });
  const day = { seconds: Long.fromNumber(86_400) };
  const register = { namespace, workflowExecutionRetentionPeriod: day };
  await connection.workflowService.registerNamespace(register);
  const client = new Client({ connection, namespace });
  // The server's own caches learn of it a while later.
  await eventually(() =>
    client.workflow.count().then(
      () => true,
      () => undefined,
    ),
  );
  await connection.close();
  return namespace;
}

async function workers(
  pool: Pool,
  nearby: readonly string[],
  namespace: string,
): Promise<(() => Promise<unknown>)[]> {
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  const { transitions, dispatch } = createRideActivities({
    pool,
    findNearby: () => Promise.resolve([...nearby]),
  });
  const common = { connection, namespace, workflowBundle: await workflowBundle() };
  const both = [
    await Worker.create({ ...common, taskQueue: 'rides', activities: { ...transitions, ...dispatch } }),
    await Worker.create({ ...common, taskQueue: 'payments', activities: fakePayments().activities }),
  ];
  const running = both.map((worker) => worker.run());
  return [
    () => connection.close(),
    async () => {
      for (const worker of both) worker.shutdown();
      await Promise.all(running);
    },
  ];
}

/** A key that was never used. */
export const freshKey = (): string => uuidv7();
