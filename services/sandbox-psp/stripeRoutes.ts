import { Router } from 'express';
import type { Books } from './books';
import type { Sandbox } from './commit';
import { createIntent } from './createIntent';
import { customerRoutes } from './customers/routes';
import { mustBeUsable } from './customers/rules';
import { isTaken } from './disputes/dispute';
import { disputeRoutes } from './disputes/routes';
import { mutation, query } from './endpoint';
import { incrementIntent } from './increment';
import { intentOf } from './find';
import { refundHappening, stepEffect } from './happenings';
import { list, searchPredicate, slice } from './lists';
import {
  cancelIntentParams,
  captureIntentParams,
  confirmIntentParams,
  createIntentParams,
  createRefundParams,
  incrementIntentParams,
  listEventsParams,
  listOfIntentParams,
  listParams,
  noParams,
  searchParams,
} from './params';
import { cancelIntent, captureIntent, confirmIntent, type Occasion, type Step } from './paymentIntents';
import type { PaymentIntent } from './paymentIntent';
import { refundIntent } from './refunds';
import { noSuch } from './stripeErrors';
import { transferRoutes } from './transfers/routes';

/** The subset of Stripe's API v1 that Hailway uses. */
export function stripeRoutes(sandbox: Sandbox): Router {
  const router = Router();
  customerRoutes(router, sandbox);
  intentRoutes(router, sandbox);
  refundRoutes(router, sandbox);
  disputeRoutes(router, sandbox);
  transferRoutes(router, sandbox);
  eventRoutes(router, sandbox);
  return router;
}

function intentRoutes(router: Router, sandbox: Sandbox): void {
  const { books } = sandbox;
  const step = (id: string, { at }: Occasion, take: (intent: PaymentIntent) => Step) => {
    const intent = intentOf(books, id);
    return stepEffect(intent, take(intent), at);
  };
  router.post(
    '/payment_intents',
    mutation(sandbox, createIntentParams, (params, _id, occasion) => {
      const { payment_method: method = null, customer = null, confirm, off_session } = params;
      mustBeUsable(books.wallets, { method, customer, offSession: confirm && off_session });
      return stepEffect(undefined, createIntent(params, occasion), occasion.at);
    }),
  );
  router.post(
    '/payment_intents/:id/confirm',
    mutation(sandbox, confirmIntentParams, (params, id, occasion) =>
      step(id, occasion, (intent) => {
        const method = params.payment_method ?? intent.payment_method;
        // An older journal's intents have none.
        const { customer = null } = intent;
        mustBeUsable(books.wallets, { method, customer, offSession: params.off_session });
        return confirmIntent(intent, params, occasion);
      }),
    ),
  );
  router.post(
    '/payment_intents/:id/capture',
    mutation(sandbox, captureIntentParams, (params, id, occasion) =>
      step(id, occasion, (intent) => captureIntent(intent, params)),
    ),
  );
  router.post(
    '/payment_intents/:id/increment_authorization',
    mutation(sandbox, incrementIntentParams, (params, id, occasion) =>
      step(id, occasion, (intent) => incrementIntent(intent, params)),
    ),
  );
  router.post(
    '/payment_intents/:id/cancel',
    mutation(sandbox, cancelIntentParams, (params, id, occasion) =>
      step(id, occasion, (intent) => cancelIntent(intent, params, occasion.at)),
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
    query(sandbox, listParams, (params) => list('/v1/payment_intents', books.allIntents(), params)),
  );
  router.get(
    '/payment_intents/:id',
    query(sandbox, noParams, (_params, id) => intentOf(books, id)),
  );
  router.get(
    '/charges/:id',
    query(sandbox, noParams, (_params, id) => {
      const charge = books.charge(id);
      if (charge === undefined) throw noSuch('charge', id, 'id');
      return charge;
    }),
  );
}

function refundRoutes(router: Router, sandbox: Sandbox): void {
  const { books } = sandbox;
  router.post(
    '/refunds',
    mutation(sandbox, createRefundParams, (params, _id, { at }) => {
      const intent = intentOf(books, params.payment_intent, 'payment_intent');
      const known = {
        refundedMinor: books.refundedMinor(intent.id),
        disputed: books.disputesOf(intent.id).some(isTaken),
      };
      const refund = refundIntent(intent, known, params, at);
      return { status: 200, body: refund, ...refundHappening(refund, intent, at) };
    }),
  );
  router.get(
    '/refunds',
    query(sandbox, listOfIntentParams, ({ payment_intent: of, ...params }) =>
      list('/v1/refunds', of === undefined ? books.allRefunds() : books.refundsOf(of), params),
    ),
  );
  router.get(
    '/refunds/:id',
    query(sandbox, noParams, (_params, id) => {
      const refund = books.refund(id);
      if (refund === undefined) throw noSuch('refund', id, 'id');
      return refund;
    }),
  );
}

function eventRoutes(router: Router, sandbox: Sandbox): void {
  const { books } = sandbox;
  const shown = (event: ReturnType<Books['allEvents']>[number]) => ({
    ...event,
    kind: 'event',
    pending: books.parcels.has(event.id) ? 1 : 0,
  });
  router.get(
    '/events',
    query(sandbox, listEventsParams, ({ type, types, ...params }) => {
      const wanted = type === undefined ? types : [type];
      const page = list(
        '/v1/events',
        books.allEvents(),
        params,
        (event) => wanted?.includes(event.type) ?? true,
      );
      return { ...page, data: page.data.map(shown) };
    }),
  );
  router.get(
    '/events/:id',
    query(sandbox, noParams, (_params, id) => {
      const event = books.event(id);
      if (event === undefined) throw noSuch('event', id, 'id');
      return shown(event);
    }),
  );
}
