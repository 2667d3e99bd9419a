import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { listen } from '../../platform/http';
import { createSandboxPsp } from '../../services/sandbox-psp/app';
import { eventually } from './backbone';

/** GET /sandbox/ledger. */
export interface Ledger {
  currencies: Record<string, Record<string, number>>;
  consistent: boolean;
  movements: {
    kind: string;
    paymentIntent: string | null;
    rideId: string | null;
    amount: number;
    net: number;
    currency: string;
  }[];
}

/** What is held of a card, in the provider's minor units. */
export interface OpenHold {
  readonly paymentIntent: string;
  readonly rideId: string | null;
  readonly amount: number;
}

/** A sandbox provider that listens, with its clock in the test's hand. */
export interface RunningPsp {
  readonly url: string;
  readonly journalPath: string;
  readonly stripe: Stripe;
  readonly clock: { now: Date };
  /** Sets the clock forward. */
  pass(ms: number): void;
  get<T = Record<string, unknown>>(path: string): Promise<T>;
  /** A door of the sandbox's own: POST with JSON. */
  post<T = Record<string, unknown>>(path: string, body?: object): Promise<T>;
  ledger(): Promise<Ledger>;
  /** What was moved for a ride, in order, in the provider's minor units. */
  movementsOf(rideId: string): Promise<[kind: string, amount: number][]>;
  /** What we have of a ride there, in the provider's minor units. */
  netOf(rideId: string): Promise<number>;
  /** What is held for a ride, or for all of them. */
  openHolds(rideId?: string): Promise<OpenHold[]>;
  fault(fault: object): Promise<void>;
  clearFaults(): Promise<void>;
  /** Resolves when every fault has met its request. */
  faultsMet(): Promise<void>;
  /** Stops it, and starts another one on the same books. */
  restart(): Promise<RunningPsp>;
  /** Stops it; a folder of its own goes with it. */
  stop(): Promise<void>;
}

interface Folder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'sandbox-psp-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** The official client, pointed at the sandbox; it repeats nothing by itself unless told to. */
export function stripeFor(url: string, options: { key?: string; retries?: number; timeoutMs?: number } = {}) {
  const { hostname, port } = new URL(url);
  return new Stripe(options.key ?? 'sk_test_hailway', {
    protocol: 'http',
    host: hostname,
    port: Number(port),
    maxNetworkRetries: options.retries ?? 0,
    timeout: options.timeoutMs ?? 5_000,
    telemetry: false,
  });
}

export interface PspOptions {
  /** Where it keeps its books; in a folder of its own unless told. */
  readonly dataDir?: string;
  /** Where events are posted to; nowhere unless told. */
  readonly webhooks?: { readonly url: string; readonly secret: string; readonly firstPauseMs?: number };
  /** Where riders reach its pages; where it is asked unless told. */
  readonly publicUrl?: string;
}

export async function startPsp({ dataDir, ...options }: PspOptions = {}): Promise<RunningPsp> {
  const stays = (path: string): Folder => ({ path, remove: () => Promise.resolve() });
  return openPsp(dataDir === undefined ? await temporaryFolder() : stays(dataDir), options);
}

async function openPsp(
  folder: Folder,
  options: Pick<PspOptions, 'webhooks' | 'publicUrl'>,
): Promise<RunningPsp> {
  const clock = { now: new Date('2026-03-01T12:00:00Z') };
  const psp = createSandboxPsp({ dataDir: folder.path, clock: () => clock.now, ...options });
  const server = await listen(psp.app, { port: 0, portVariable: 'none', closeGraceMs: 500 });
  const call = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await fetch(`${server.url}${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const post = (path: string, body: object = {}): Promise<Response> =>
    call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const get = async <T>(path: string): Promise<T> => (await call(path)).json() as Promise<T>;
  const ledger = () => get<Ledger>('/sandbox/ledger');
  const movesOf = async (rideId: string) =>
    (await ledger()).movements.filter((move) => move.rideId === rideId);
  const close = async (): Promise<void> => {
    await server.close();
    await psp.close();
  };
  return {
    url: server.url,
    journalPath: join(folder.path, 'journal.jsonl'),
    stripe: stripeFor(server.url),
    clock,
    pass: (ms) => void (clock.now = new Date(clock.now.getTime() + ms)),
    get,
    post: async <T>(path: string, body?: object) => (await post(path, body)).json() as Promise<T>,
    ledger,
    movementsOf: async (rideId) => (await movesOf(rideId)).map(({ kind, amount }) => [kind, amount]),
    netOf: async (rideId) => (await movesOf(rideId)).reduce((sum, { net }) => sum + net, 0),
    async openHolds(rideId) {
      const { data } = await get<{ data: OpenHold[] }>('/sandbox/open-authorizations');
      return data.filter((held) => rideId === undefined || held.rideId === rideId);
    },
    async fault(fault) {
      await post('/sandbox/faults', fault);
    },
    async clearFaults() {
      await call('/sandbox/faults', { method: 'DELETE' });
    },
    async faultsMet() {
      const left = async () => (await get<{ data: object[] }>('/sandbox/faults')).data;
      await eventually(left, (faults) => faults.length === 0);
    },
    async restart() {
      await close();
      return openPsp(folder, options);
    },
    async stop() {
      await close();
      await folder.remove();
    },
  };
}

/** A hold of 25.00 on a card that pays, for ride-1, unless told otherwise. */
export const holdWith = (
  stripe: Stripe,
  more: Partial<Stripe.PaymentIntentCreateParams> = {},
  key?: string,
): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create(
    {
      amount: 2500,
      currency: 'usd',
      capture_method: 'manual',
      confirm: true,
      off_session: true,
      payment_method: 'pm_card_visa',
      allowed_payment_method_types: ['card'],
      metadata: { rideId: 'ride-1' },
      ...more,
    },
    key === undefined ? undefined : { idempotencyKey: key },
  );

/** The error of a call that must fail, with Stripe's fields. */
export async function refusal(
  call: Promise<unknown>,
): Promise<InstanceType<typeof Stripe.errors.StripeError>> {
  const outcome = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (outcome instanceof Stripe.errors.StripeError) return outcome;
  throw new Error(`expected Stripe's error, got ${String(outcome)}`);
}
