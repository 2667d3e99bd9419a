import { closeDispute } from './disputes/dispute';
import type { Happening, Sandbox } from './commit';
import { commit } from './commit';
import { refundMovement } from './movements';
import { cancelIntent } from './paymentIntents';
import { answeredRefund } from './refunds';
import type { Books } from './books';

/**
 * Does what time has brought about since the last look: holds end after their days, banks answer to refunds, disputes
 * that were not answered are lost. In the books when this returns, on the disk soon after.
 */
export function catchUp(sandbox: Sandbox): void {
  const { books, clock } = sandbox;
  const now = clock();
  for (const id of books.errands.due(now.getTime())) {
    const happening = whatIsDue(books, id, now);
    // A failure of the disk is told by the journal.
    if (happening !== null) commit(sandbox, now, happening, null).catch(() => undefined);
  }
}

function whatIsDue(books: Books, id: string, at: Date): Happening | null {
  const intent = books.intent(id);
  if (intent !== undefined) {
    const ended = cancelIntent(intent, { cancellation_reason: 'automatic' }, at);
    return { intent: ended.intent, events: ['payment_intent.canceled'] };
  }
  const refund = books.refund(id);
  if (refund !== undefined) {
    const answered = answeredRefund(refund);
    if (answered.status !== 'failed') return { refund: answered, events: ['refund.updated'] };
    const refunded = books.intent(refund.payment_intent);
    if (refunded === undefined) throw new Error(`impossible: refund ${id} of no intent`);
    return {
      refund: answered,
      movements: [refundMovement(answered, refunded, at)],
      events: ['refund.failed'],
    };
  }
  const dispute = books.dispute(id);
  if (dispute === undefined) return null;
  return { dispute: closeDispute(dispute, 'lost', at), events: ['charge.dispute.closed'] };
}
