import express, { type RequestHandler, type Router } from 'express';
import Stripe from 'stripe';
import { operations } from '../../../contracts/api/operations';
import { providerEventLimitBytes } from '../../../contracts/api/providerEvents';
import { CodedError } from '../../../platform/errors';
import type { MountOperation } from '../../../platform/http';
import type { Pool } from '../../../platform/postgres';
import { keepEvent, markTold } from './providerEvents';
import { readNews } from './readNews';
import type { TellNews } from './tellNews';

export interface ProviderEventRoutesOptions {
  readonly pool: Pool;
  /** What the provider signs with; empty where it sends nothing: then there is no such address. */
  readonly secret: string;
  readonly tell: TellNews;
}

/** What was signed longer ago than this may be a replay: Stripe's own bound. */
const TOLERANCE_SECONDS = 300;

/**
 * The provider's webhooks: a second source of what it knows. An event is kept first and told then, and only makes a
 * workflow look at the provider, so it may come twice, late, in any order or never. What was kept and not told is told
 * by its repeat: the provider asks again for days where it is not answered 2xx.
 *
 * Mount it before the JSON parser: signed is the body as it came.
 */
export function providerEventRoutes(
  router: Router,
  mount: MountOperation,
  { pool, secret, tell }: ProviderEventRoutesOptions,
): void {
  if (secret === '') return;
  const { path } = operations.providerEvent;
  router.post(path, express.raw({ type: () => true, limit: providerEventLimitBytes }), signedBy(secret));

  mount(operations.providerEvent, async ({ body }) => {
    const answer = { status: 200, body: { received: true } } as const;
    const read = readNews(body);
    // Refused, it would come again for days, and the provider would give up the address in the end.
    if (read === null) return answer;
    const kept = await keepEvent(pool, read, body.created);
    if (kept.toldAt === null) await markTold(pool, read.news.eventId, await tell(read, kept));
    return answer;
  });
}

/** Lets only bodies through that the provider has signed lately, and puts the event in the body's place. */
const signedBy =
  (secret: string): RequestHandler =>
  (req, _res, next) => {
    const payload = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
    try {
      req.body = Stripe.webhooks.constructEvent(
        payload,
        req.get('stripe-signature') ?? '',
        secret,
        TOLERANCE_SECONDS,
      );
    } catch (error) {
      throw asProblem(error);
    }
    next();
  };

/** Without the cause: it has the body and the signature in it. */
function asProblem(error: unknown): CodedError {
  if (error instanceof SyntaxError) return new CodedError('malformed_json', 'the body is not JSON');
  // A header that the library stumbles over (`v1=`) is no signature either.
  const late = error instanceof Error && error.message.includes('tolerance');
  return new CodedError(
    'provider_signature_invalid',
    late ? 'it was signed too long ago' : 'the signature is not by the secret that we share',
  );
}
