import type { Books } from './books';
import type { Dispute } from './disputes/dispute';
import type { PaymentIntent } from './paymentIntent';
import { noSuch } from './stripeErrors';

/** @throws StripeError 404; `param` names what it was looked for by */
export function intentOf(books: Books, id: string, param = 'intent'): PaymentIntent {
  const intent = books.intent(id);
  if (intent === undefined) throw noSuch('payment_intent', id, param);
  return intent;
}

/** @throws StripeError 404 */
export function disputeOf(books: Books, id: string): Dispute {
  const dispute = books.dispute(id);
  if (dispute === undefined) throw noSuch('dispute', id, 'id');
  return dispute;
}
