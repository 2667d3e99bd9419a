import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  isBrokenCircuitError,
  isBulkheadRejectedError,
  noJitterGenerator,
} from 'cockatiel';
import Stripe from 'stripe';
import { breakerState, type BreakerState } from '../../../platform/metrics/breakers';

export interface GateOptions {
  /** So many requests in a row whose outcome nobody knows close the gate (8). */
  readonly breakAfter?: number;
  /** The first pause until one request may try whether the provider is back, in milliseconds (1 s); it doubles up to … */
  readonly retryAfterMs?: number;
  /** … this (30 s). */
  readonly mostRetryAfterMs?: number;
  /**
   * How long who was turned away stays away in the middle, in milliseconds: a quarter of what the outage has lasted, from
   * this (2 s) to that (60 s).
   */
  readonly leastPauseMs?: number;
  readonly mostPauseMs?: number;
  /** Requests under way at once, and so many that wait for their turn (32 and 256). */
  readonly mostAtOnce?: number;
  readonly mostWaiting?: number;
  /** From 0 to 1: so that those who wait do not come back together. */
  readonly random?: () => number;
}

/** What the gate is like right now, for a metric. */
export interface GateReading {
  readonly state: BreakerState;
  /** How often it has opened since the process began. */
  readonly opened: number;
  /** How many requests were not let through since then. */
  readonly refused: number;
  readonly inFlight: number;
  readonly waiting: number;
}

/** A request that never left the house. Ask again after `pauseMs`. */
class ProviderNotAsked extends Error {
  override readonly name = 'ProviderNotAsked';

  constructor(readonly pauseMs: number) {
    super('the payment provider is not asked: too many of the last requests had no outcome');
  }
}

export interface ProviderGate {
  /** The same client, behind the gate. A request that is not let through fails with ProviderNotAsked. */
  wrap(client: Stripe.HttpClient): Stripe.HttpClient;
  reading(): GateReading;
}

type HttpResponse = Awaited<ReturnType<Stripe.HttpClient['makeRequest']>>;

/**
 * A circuit breaker before the payment provider. When its outcomes stay unknown (no connection, no answer in time, a
 * server error), no request leaves for a while; then one tries whether it is back, and the others follow a few at a
 * time. What it answers otherwise, a refusal too, shows that it is there.
 */
export function createProviderGate(options: GateOptions = {}): ProviderGate {
  const { breakAfter = 8, retryAfterMs = 1_000, mostRetryAfterMs = 30_000 } = options;
  const { leastPauseMs = 2_000, mostPauseMs = 60_000 } = options;
  const { mostAtOnce = 32, mostWaiting = 256, random = Math.random } = options;
  const unknown = handleWhen(() => true).orWhenResult(
    (response) => (response as HttpResponse).getStatusCode() >= 500,
  );
  const breaker = circuitBreaker(unknown, {
    breaker: new ConsecutiveBreaker(breakAfter),
    halfOpenAfter: new ExponentialBackoff({
      initialDelay: retryAfterMs,
      maxDelay: mostRetryAfterMs,
      generator: noJitterGenerator,
    }),
  });
  const turns = bulkhead(mostAtOnce, mostWaiting);
  let [opened, refused, outageSinceMs] = [0, 0, 0];
  breaker.onBreak(() => {
    opened += 1;
    outageSinceMs ||= Date.now();
  });
  breaker.onReset(() => void (outageSinceMs = 0));

  /** The longer it lasts, the longer the pause: what waits then costs nothing, and comes back spread over as long. */
  const pauseMs = (): number => {
    const lastedMs = outageSinceMs === 0 ? 0 : Date.now() - outageSinceMs;
    const middleMs = Math.min(mostPauseMs, Math.max(leastPauseMs, lastedMs / 4));
    return Math.round(middleMs * (0.5 + random()));
  };
  const through = async <T extends HttpResponse>(request: () => Promise<T>): Promise<T> => {
    try {
      return await turns.execute(() => breaker.execute(request));
    } catch (error) {
      if (!isBrokenCircuitError(error) && !isBulkheadRejectedError(error)) throw error;
      refused += 1;
      throw new ProviderNotAsked(pauseMs());
    }
  };
  return {
    wrap: (client) => ({
      getClientName: () => client.getClientName(),
      makeRequest: (...request) => through(() => client.makeRequest(...request)),
    }),
    reading: () => ({
      state: breakerState(breaker.state),
      opened,
      refused,
      inFlight: mostAtOnce - turns.executionSlots,
      waiting: mostWaiting - turns.queueSlots,
    }),
  };
}

/** After how many milliseconds to ask again, where a request was not let through; undefined for any other error. */
export function notAskedForMs(error: unknown): number | undefined {
  const cause: unknown = error instanceof Stripe.errors.StripeConnectionError ? error.detail : error;
  return cause instanceof ProviderNotAsked ? cause.pauseMs : undefined;
}
