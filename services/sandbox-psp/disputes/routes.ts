import type { Router } from 'express';
import type { Books } from '../books';
import type { Sandbox } from '../commit';
import { mutation, query, type Effect } from '../endpoint';
import { disputeOf, intentOf } from '../find';
import { disputeHappening } from '../happenings';
import { list } from '../lists';
import { listOfIntentParams, noParams, updateDisputeParams } from '../params';
import { closeDispute, updateDispute, type Dispute } from './dispute';

/** What a step of a dispute did; it answers the dispute. */
function disputeEffect(books: Books, before: Dispute, after: Dispute, at: Date): Effect {
  const intent = intentOf(books, after.payment_intent);
  return { status: 200, body: after, ...disputeHappening(before, after, intent, at) };
}

/** Disputes of Stripe's API. */
export function disputeRoutes(router: Router, sandbox: Sandbox): void {
  const { books } = sandbox;
  router.post(
    '/disputes/:id',
    mutation(sandbox, updateDisputeParams, ({ evidence, ...params }, id, { at }) => {
      const dispute = disputeOf(books, id);
      const texts = evidence as Readonly<Record<string, string>> | undefined;
      return disputeEffect(books, dispute, updateDispute(dispute, { ...params, evidence: texts }, at), at);
    }),
  );
  router.post(
    '/disputes/:id/close',
    mutation(sandbox, noParams, (_params, id, { at }) => {
      const dispute = disputeOf(books, id);
      return disputeEffect(books, dispute, closeDispute(dispute, 'lost', at), at);
    }),
  );
  router.get(
    '/disputes',
    query(sandbox, listOfIntentParams, ({ payment_intent: of, ...params }) =>
      list(
        '/v1/disputes',
        books.allDisputes(),
        params,
        (dispute) => of === undefined || dispute.payment_intent === of,
      ),
    ),
  );
  router.get(
    '/disputes/:id',
    query(sandbox, noParams, (_params, id) => disputeOf(books, id)),
  );
}
