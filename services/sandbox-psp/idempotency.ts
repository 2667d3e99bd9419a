import { createHash } from 'node:crypto';
import { idempotencyKeyInUse, idempotencyMismatch, invalidRequest } from './stripeErrors';

const keptMs = 24 * 60 * 60 * 1000;

/** The answer to the first request with a key; it is part of the journal's record of that request. */
export interface StoredAnswer {
  readonly key: string;
  readonly endpoint: string;
  /** Hash of the parameters. */
  readonly fingerprint: string;
  readonly requestId: string;
  readonly status: number;
  readonly body: unknown;
}

/** A request as its key sees it. */
export interface KeyedRequest {
  readonly key: string;
  readonly endpoint: string;
  readonly fingerprint: string;
}

/** @throws StripeError for a key that is empty or longer than 255 characters. */
export function keyedRequest(key: string, endpoint: string, params: unknown): KeyedRequest {
  if (key.length === 0 || key.length > 255) {
    throw invalidRequest('Idempotency keys take 1 to 255 characters.');
  }
  const fingerprint = createHash('sha256').update(canonical(params)).digest('hex');
  return { key, endpoint, fingerprint };
}

/**
 * Stripe's idempotency layer (https://docs.stripe.com/api/idempotent_requests): what was answered is answered
 * again for 24 hours, failures included; nothing runs twice at once.
 */
export class IdempotencyKeys {
  /** In order of time, oldest first. */
  private readonly answers = new Map<string, { readonly answer: StoredAnswer; readonly atMs: number }>();
  private readonly inFlight = new Map<string, KeyedRequest>();

  /**
   * The stored answer, or `null`: the caller runs the request and then calls `release`.
   * @throws StripeError 400 for other parameters or another endpoint, 409 while the first one runs.
   */
  claim(request: KeyedRequest, at: Date): StoredAnswer | null {
    this.forgetBefore(at.getTime() - keptMs);
    const running = this.inFlight.get(request.key);
    const stored = this.answers.get(request.key)?.answer;
    const first = running ?? stored;
    if (first !== undefined) mustMatch(request, first);
    if (running !== undefined) throw idempotencyKeyInUse(request.key);
    if (stored !== undefined) return stored;
    this.inFlight.set(request.key, request);
    return null;
  }

  release(request: KeyedRequest): void {
    this.inFlight.delete(request.key);
  }

  store(answer: StoredAnswer, at: Date): void {
    this.answers.delete(answer.key);
    this.answers.set(answer.key, { answer, atMs: at.getTime() });
  }

  private forgetBefore(ms: number): void {
    for (const [key, { atMs }] of this.answers) {
      if (atMs > ms) return;
      this.answers.delete(key);
    }
  }
}

function mustMatch(request: KeyedRequest, first: KeyedRequest): void {
  if (request.endpoint !== first.endpoint) {
    throw idempotencyMismatch(
      request.key,
      `for the same endpoint they were first used for ('${first.endpoint}' vs '${request.endpoint}')`,
    );
  }
  if (request.fingerprint !== first.fingerprint) {
    throw idempotencyMismatch(request.key, 'with the same parameters they were first used with');
  }
}

/** JSON with sorted keys: the same parameters in another order are the same request. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
