import type { Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { commit, type Happening, type Sandbox } from './commit';
import { catchUp } from './time';
import type { Faults, RequestFault } from './faults';
import { keyedRequest } from './idempotency';
import { newId } from './ids';
import { parseParams } from './params';
import type { Occasion } from './paymentIntents';
import { asStripe } from './shape';
import { apiError, invalidRequest, StripeError, tooManyRequests, type ErrorBody } from './stripeErrors';
import { declineOf } from './testCards';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What a POST did: the answer, and what the journal has to keep of it. */
export type Effect = Answer & Happening;

/** The ids that a path names: `/customers/:customer/payment_methods/:id`. */
type Named = { readonly id?: string; readonly customer?: string };

/**
 * A POST of Stripe's API. Parameters are read before the execution begins (a wrong one is not stored under the
 * key, as at Stripe); then `execute` decides without waiting for anything, its effect and the answer become one
 * record, and the answer leaves when that record is on the disk.
 */
export function mutation<S extends z.ZodType>(
  sandbox: Sandbox,
  schema: S,
  execute: (params: z.output<S>, id: string, occasion: Occasion) => Effect,
): RequestHandler<Named> {
  const { books, journal, faults, clock } = sandbox;
  return async (req, res) => {
    catchUp(sandbox);
    const fault = takeFault(faults, req, res);
    if (fault === 'answered') return;
    const form = formOf(req);
    const header = req.get('idempotency-key');
    const keyed = header === undefined ? null : keyedRequest(header, pathOf(req), form);
    if (keyed !== null) {
      res.set('Idempotency-Key', keyed.key);
      const stored = books.keys.claim(keyed, clock());
      if (stored !== null) {
        await journal.settled();
        res.set({ 'Idempotent-Replayed': 'true', 'Original-Request': stored.requestId });
        send(res, fault, stored);
        return;
      }
    }
    try {
      await faults.delay(fault, 'delay');
      const params = parseParams(schema, form);
      const occasion = occasionOf(sandbox, req, clock(), fault);
      const requestId = requestIdOf(res);
      const { answer, happening } = run(
        () => execute(params, req.params.id ?? '', occasion),
        fault?.kind === 'error500_after',
      );
      await commit(
        sandbox,
        occasion.at,
        happening,
        { id: requestId, idempotency_key: keyed?.key ?? null },
        keyed === null ? undefined : { ...keyed, requestId, ...answer },
      );
      await faults.delay(fault, 'hang_after');
      send(res, fault, answer);
    } finally {
      if (keyed !== null) books.keys.release(keyed);
    }
  };
}

/** A GET: what it shows is on the disk before it is shown. */
export function query<S extends z.ZodType>(
  sandbox: Sandbox,
  schema: S,
  find: (params: z.output<S>, id: string, named: Named) => unknown,
): RequestHandler<Named> {
  const { journal, faults } = sandbox;
  return async (req, res) => {
    catchUp(sandbox);
    const fault = takeFault(faults, req, res);
    if (fault === 'answered') return;
    await faults.delay(fault, 'delay');
    const body = find(parseParams(schema, req.query), req.params.id ?? '', req.params);
    await journal.settled();
    await faults.delay(fault, 'hang_after');
    send(res, fault, fault?.kind === 'error500_after' ? failure(500) : { status: 200, body });
  };
}

function run(execute: () => Effect, fails: boolean): { answer: Answer; happening: Happening } {
  const { status, body, ...happening } = refusalAsEffect(execute);
  return { answer: fails ? failure(500) : { status, body }, happening };
}

function occasionOf(
  { publicUrl }: Sandbox,
  req: Request<Named>,
  at: Date,
  fault: RequestFault | null,
): Occasion {
  return {
    at,
    baseUrl: publicUrl ?? `${req.protocol}://${req.get('host')}`,
    ...(fault?.kind === 'declined' && { declined: declineOf(fault.declineCode) }),
  };
}

/** A refusal during the execution is an answer like any other: stored under its key. */
function refusalAsEffect(execute: () => Effect): Effect {
  try {
    return execute();
  } catch (error) {
    if (error instanceof StripeError) return { status: error.status, body: { error: error.error } };
    throw error;
  }
}

/** The fault that this request meets; the kinds that come before everything are played out here. */
function takeFault(faults: Faults, req: Request<Named>, res: Response): RequestFault | null | 'answered' {
  const fault = faults.take(req.method, pathOf(req));
  switch (fault?.kind) {
    case 'drop_before':
      res.destroy();
      return 'answered';
    case 'error500_before':
      throw apiError(500, 'An unexpected error occurred (a fault on demand, before any effect).');
    case 'unavailable':
      throw apiError(503, 'The provider is not available (a fault on demand, before any effect).');
    case 'rate_limited':
      throw tooManyRequests('rate_limit', fault.retryAfterSeconds);
    case 'lock_timeout':
      throw tooManyRequests('lock_timeout', fault.retryAfterSeconds);
    default:
      return fault;
  }
}

function failure(status: number): { status: number; body: { error: ErrorBody } } {
  return {
    status,
    body: { error: apiError(status, 'An unexpected error occurred (a fault on demand).').error },
  };
}

function send(res: Response, fault: RequestFault | null, answer: Answer): void {
  if (fault?.kind === 'drop_after') {
    res.destroy();
    return;
  }
  // A stored 500 comes back for every repeat: Stripe tells its clients not to try.
  if (answer.status >= 500) res.set('Stripe-Should-Retry', 'false');
  res.status(answer.status).json(asStripe(answer.body));
}

/** The whole path: within a router `req.path` lacks what the router is mounted at. */
function pathOf(req: Request<Named>): string {
  return req.baseUrl + req.path;
}

function formOf(req: Request<Named>): unknown {
  const hasBody = Number(req.get('content-length') ?? 0) > 0 || req.get('transfer-encoding') !== undefined;
  if (hasBody && req.is('application/x-www-form-urlencoded') === false) {
    throw invalidRequest(
      'Invalid request (check that your POST content type is application/x-www-form-urlencoded).',
    );
  }
  return (req.body as unknown) ?? {};
}

/** Gives the request its id, which goes out as `Request-Id`. */
export function nameRequest(res: Response): void {
  res.set('Request-Id', newId('req'));
}

function requestIdOf(res: Response): string {
  return String(res.get('Request-Id'));
}
