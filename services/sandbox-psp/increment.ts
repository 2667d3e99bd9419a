import { checkAmount } from './amounts';
import type { Metadata, PaymentIntent } from './paymentIntent';
import type { Step } from './paymentIntents';
import { cardDeclined, invalidRequest, unexpectedState } from './stripeErrors';
import { cardOf } from './testCards';

/**
 * POST …/increment_authorization (https://docs.stripe.com/api/payment_intents/increment_authorization): the hold
 * becomes `amount` in all. A decline leaves the intent, and what is held, as they were.
 * @throws StripeError where nothing is held, more was not asked for when the intent was made, or it would not rise
 */
export function incrementIntent(
  intent: PaymentIntent,
  params: { amount: number; metadata?: Metadata },
): Step {
  if (intent.status !== 'requires_capture')
    throw unexpectedState(intent, 'could not be incremented', 'incremented', ['requires_capture']);
  if (intent.payment_method_options?.card.request_incremental_authorization !== 'if_available') {
    throw invalidRequest(
      'This PaymentIntent is not eligible for incremental authorization: it was made without ' +
        'payment_method_options[card][request_incremental_authorization]=if_available.',
      { payment_intent: intent },
    );
  }
  if (params.amount <= intent.amount_capturable) {
    throw invalidRequest(
      `The amount (${params.amount}) must be greater than the authorized amount (${intent.amount_capturable}).`,
      { param: 'amount', payment_intent: intent },
    );
  }
  checkAmount(params.amount, intent.currency);
  const decline = cardOf(intent.payment_method ?? '')?.raiseDeclined;
  if (decline !== undefined) {
    // No field of the intent changes: only the answer tells of the decline.
    const last_payment_error = { type: 'card_error', ...decline } as const;
    return { intent, capturedMinor: 0, refusal: cardDeclined({ ...intent, last_payment_error }) };
  }
  const raised: PaymentIntent = {
    ...intent,
    amount: params.amount,
    amount_capturable: params.amount,
    metadata: { ...intent.metadata, ...params.metadata },
  };
  return { intent: raised, capturedMinor: 0 };
}
