import { Router, type RequestHandler } from 'express';
import type { Movement } from './books';
import { mutation, query, type Effect, type Sandbox } from './endpoint';
import { newId } from './ids';
import { incrementIntent } from './increment';
import { searchPredicate, slice } from './lists';
import {
  cancelIntentParams,
  captureIntentParams,
  confirmIntentParams,
  createIntentParams,
  createRefundParams,
  incrementIntentParams,
  listParams,
  listRefundsParams,
  noParams,
  searchParams,
} from './params';
import { cancelIntent, captureIntent, confirmIntent, createIntent, type Step } from './paymentIntents';
import type { PaymentIntent } from './paymentIntent';
import { refundIntent } from './refunds';
import { noSuch, StripeError } from './stripeErrors';

/** The subset of Stripe's API v1 that Hailway uses: PaymentIntents and refunds. */
export function stripeRoutes(sandbox: Sandbox): Router {
  const { books } = sandbox;
  const router = Router();

  const intentOf = (id: string): PaymentIntent => {
    const intent = books.intent(id);
    if (intent === undefined) throw noSuch('payment_intent', id, 'intent');
    return intent;
  };

  router.post(
    '/payment_intents',
    mutation(sandbox, createIntentParams, (params, _id, at) => effectOf(createIntent(params, at), at)),
  );
  router.post(
    '/payment_intents/:id/confirm',
    mutation(sandbox, confirmIntentParams, (params, id, at) =>
      effectOf(confirmIntent(intentOf(id), params), at),
    ),
  );
  router.post(
    '/payment_intents/:id/capture',
    mutation(sandbox, captureIntentParams, (params, id, at) =>
      effectOf(captureIntent(intentOf(id), params), at),
    ),
  );
  router.post(
    '/payment_intents/:id/increment_authorization',
    mutation(sandbox, incrementIntentParams, (params, id, at) =>
      effectOf(incrementIntent(intentOf(id), params), at),
    ),
  );
  router.post(
    '/payment_intents/:id/cancel',
    mutation(sandbox, cancelIntentParams, (params, id, at) =>
      effectOf(cancelIntent(intentOf(id), params, at), at),
    ),
  );
  router.get(
    '/payment_intents/search',
    query(sandbox, searchParams, ({ query: text, limit, page }) => {
      const found = books.allIntents().filter(searchPredicate(text));
      const part = slice(found, { limit, after: page });
      const next = part.has_more ? (part.data.at(-1)?.id ?? null) : null;
      return { object: 'search_result', url: '/v1/payment_intents/search', ...part, next_page: next };
    }),
  );
  router.get(
    '/payment_intents',
    query(sandbox, listParams, ({ limit, starting_after: after }) => ({
      object: 'list',
      url: '/v1/payment_intents',
      ...slice(books.allIntents(), { limit, after }),
    })),
  );
  router.get(
    '/payment_intents/:id',
    query(sandbox, noParams, (_params, id) => intentOf(id)),
  );

  router.post(
    '/refunds',
    mutation(sandbox, createRefundParams, (params, _id, at) => {
      const intent = books.intent(params.payment_intent);
      if (intent === undefined) throw noSuch('payment_intent', params.payment_intent, 'payment_intent');
      const refund = refundIntent(intent, books.refundedMinor(intent.id), params, at);
      const moved = movement('refund', refund.balance_transaction, intent, refund.amount, at);
      return { status: 200, body: refund, refund, movement: moved };
    }),
  );
  router.get(
    '/refunds',
    query(sandbox, listRefundsParams, ({ limit, starting_after: after, payment_intent: of }) => {
      const refunds = books.allRefunds().filter((refund) => of === undefined || refund.payment_intent === of);
      return { object: 'list', url: '/v1/refunds', ...slice(refunds, { limit, after }) };
    }),
  );
  router.get(
    '/refunds/:id',
    query(sandbox, noParams, (_params, id) => {
      const refund = books.refund(id);
      if (refund === undefined) throw noSuch('refund', id, 'id');
      return refund;
    }),
  );
  return router;
}

function effectOf({ intent, capturedMinor, refusal }: Step, at: Date): Effect {
  const answer =
    refusal === undefined
      ? { status: 200, body: intent }
      : { status: refusal.status, body: { error: refusal.error } };
  if (capturedMinor === 0) return { ...answer, intent };
  return { ...answer, intent, movement: movement('capture', newId('txn'), intent, capturedMinor, at) };
}

function movement(
  kind: Movement['kind'],
  id: string,
  intent: PaymentIntent,
  amount: number,
  at: Date,
): Movement {
  return {
    id,
    kind,
    paymentIntent: intent.id,
    rideId: intent.metadata['rideId'] ?? null,
    amount,
    currency: intent.currency.toUpperCase(),
    at: at.toISOString(),
  };
}

/** Every call needs a test key, as Bearer token or as the user of Basic authentication. */
export const requireTestKey: RequestHandler = (req, _res, next) => {
  const [scheme = '', credentials = ''] = (req.get('authorization') ?? '').split(' ');
  const key = /^basic$/i.test(scheme)
    ? (Buffer.from(credentials, 'base64').toString('utf8').split(':')[0] ?? '')
    : /^bearer$/i.test(scheme)
      ? credentials
      : '';
  if (/^sk_test_\w+$/.test(key)) return next();
  const message =
    key === ''
      ? 'You did not provide an API key. You need to provide your API key in the Authorization header, using ' +
        "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
      : 'Invalid API Key provided: the sandbox takes keys that begin with sk_test_.';
  throw new StripeError(401, { type: 'invalid_request_error', message });
};
