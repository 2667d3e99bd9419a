import type { Pool } from 'pg';
import Stripe from 'stripe';
import type { TakenOtherwise } from '../../../domain/paymentCalls';
import { NotChargeable } from './amounts';
import { notAskedForMs } from './gate';
import { keyVersion, retireKey } from '../books/paymentStore';

export type ProviderClient = Stripe;

export interface ProviderOptions {
  readonly apiKey: string;
  /** The sandbox's URL, or empty for Stripe itself. */
  readonly apiBase: string;
  /** For one call; after it the outcome is unknown. */
  readonly timeoutMs?: number;
  /** What the requests leave by; the client's own where it is not given. */
  readonly httpClient?: Stripe.HttpClient;
}

/** Stripe's official client, for Stripe or for whatever speaks its API. Temporal does the retrying. */
export function createProviderClient({
  apiKey,
  apiBase,
  timeoutMs = 5_000,
  httpClient,
}: ProviderOptions): ProviderClient {
  const options = {
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
    ...(httpClient === undefined ? {} : { httpClient }),
  };
  if (apiBase === '') return new Stripe(apiKey, options);
  const { hostname, port, protocol } = new URL(apiBase);
  const isHttps = protocol === 'https:';
  return new Stripe(apiKey, {
    ...options,
    host: hostname,
    port: port === '' ? (isHttps ? 443 : 80) : port,
    protocol: isHttps ? 'https' : 'http',
  });
}

/** What the provider calls are made with. */
export interface ProviderAccess {
  readonly pool: Pool;
  readonly client: ProviderClient;
  /** Where riders come back to from their bank's page; without it a card whose bank wants to see them is declined. */
  readonly returnUrl?: string;
}

/**
 * Makes a request under the step's idempotency key, the same one however often it is repeated. Begin with a look at
 * what the provider has: a repeat proves nothing, since a server error is stored under the key like any answer, and so
 * is a refusal that was true only then, or one that the code of before has used with other parameters. Such an answer
 * retires the key: the next attempt's look shows what the first request did. No step has a `#` in it: no two of them share
 * a key.
 */
export async function withIdempotencyKey<T>(
  { pool }: ProviderAccess,
  step: string,
  request: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  const version = await keyVersion(pool, step);
  try {
    return await request(version === 1 ? step : `${step}#${version}`);
  } catch (error) {
    if (isStoredServerError(error) || isRefusal(error) || isUsedOtherwise(error))
      await retireKey(pool, step, version);
    throw error;
  }
}

/** It was not done, and would not be if it were asked again now. One with the key may still be under way: no refusal. */
export const isRefusal = (error: unknown): error is Stripe.errors.StripeInvalidRequestError =>
  error instanceof Stripe.errors.StripeInvalidRequestError && error.statusCode !== 409;

function isStoredServerError(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeError &&
    (error.statusCode ?? 0) >= 500 &&
    error.headers?.['idempotent-replayed'] === 'true'
  );
}

const amountCodes: ReadonlySet<string> = new Set(['amount_too_small', 'amount_too_large']);

/** Why a card was not charged, where that is the answer; undefined for everything that may succeed later. */
export function declineReason(error: unknown): string | undefined {
  if (error instanceof Stripe.errors.StripeCardError) return error.decline_code || error.code || 'declined';
  if (error instanceof Stripe.errors.StripeInvalidRequestError) {
    // A token that the provider does not know: the rider's input, not ours.
    if (error.param === 'payment_method') return 'unknown_payment_method';
    // Deleted since the charge was begun: the rider's next one makes another.
    if (error.param === 'customer') return 'customer_gone';
    // The provider takes no such amount: whoever asks for it is told, nobody asks again.
    if (amountCodes.has(error.code ?? '')) return error.code;
  }
  return error instanceof NotChargeable || error instanceof CardNotUsable ? error.code : undefined;
}

/** No charge for the rider can be had from a card, whatever its issuer says: it is unknown, used up, or somebody else's. */
export class CardNotUsable extends Error {
  override readonly name = 'CardNotUsable';

  constructor(readonly code: 'unknown_payment_method' | 'payment_method_not_usable') {
    super(code);
  }
}

/** The provider will refuse this however often it is asked: an operator has to decide. */
export class FinalRefusal extends Error {
  override readonly name = 'FinalRefusal';

  constructor(
    readonly code:
      'hold_gone' | 'hold_captured' | 'captured_otherwise' | 'capture_refused' | 'amount_too_small',
    message: string,
    readonly taken?: TakenOtherwise,
  ) {
    super(message);
  }
}

/**
 * Why the provider refuses a request for good, and would again: its code, or which parameter it refuses (`amount_refused`).
 * Its words are in no fact and no answer: they may repeat what it was sent.
 */
export function refusalReason(error: unknown): string | undefined {
  if (error instanceof NotChargeable) return error.code;
  if (isUsedOtherwise(error)) return usedOtherwise;
  if (!isRefusal(error)) return undefined;
  const code = error.code || (error.param ? `${error.param}_refused` : 'refused');
  return /^\w{1,64}$/.test(code) ? code : 'refused';
}

/** The provider knows the key, of a request with other parameters: what that did, nobody knows without a look. */
export const usedOtherwise = 'idempotency_error';
const isUsedOtherwise = (error: unknown): boolean => error instanceof Stripe.errors.StripeIdempotencyError;

/** The id of what the provider gives as an id or as a whole. */
export const idOf = (object: string | { readonly id: string } | null | undefined): string | undefined =>
  typeof object === 'object' ? object?.id : object;

/** What the provider has by an id, or null where it has nothing by it. @throws where it does not answer */
export async function orNull<T>(retrieved: Promise<T>): Promise<T | null> {
  try {
    return await retrieved;
  } catch (error) {
    if (isRefusal(error) && error.code === 'resource_missing') return null;
    throw error;
  }
}

/** Whether the provider is still at the same request, asked before: an answer is on its way. */
export const isStillAsked = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeError && error.statusCode === 409;

/** What is still asked is looked at again after so long. */
const STILL_ASKED_MS = 500;

/**
 * After how many milliseconds to ask again: where the provider has said so or is still at it, or the gate before it does
 * not let anybody through.
 */
export function retryAfterMs(error: unknown): number | undefined {
  const notAsked = notAskedForMs(error);
  if (notAsked !== undefined) return notAsked;
  if (!(error instanceof Stripe.errors.StripeError)) return undefined;
  if (isStillAsked(error)) return STILL_ASKED_MS;
  const seconds = Number(error.headers?.['retry-after']);
  return seconds > 0 ? seconds * 1_000 : undefined;
}
