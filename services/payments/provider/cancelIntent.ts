import type Stripe from 'stripe';
import { withIdempotencyKey, type ProviderAccess } from './client';

/**
 * Cancels an intent under the step's key, unless it is over: then it is as it was. The intent is looked at first.
 * @returns the intent as it was found: `succeeded` where its money was taken
 * @throws whatever leaves the outcome unknown: call again
 */
export async function cancelIntent(
  access: ProviderAccess,
  intentId: string,
  step: string,
): Promise<Stripe.PaymentIntent> {
  const found = await access.client.paymentIntents.retrieve(intentId);
  if (found.status !== 'succeeded' && found.status !== 'canceled')
    await withIdempotencyKey(access, step, (idempotencyKey) =>
      access.client.paymentIntents.cancel(intentId, {}, { idempotencyKey }),
    );
  return found;
}
