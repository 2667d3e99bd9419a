import type Stripe from 'stripe';
import { fromProvider, toProvider } from './amounts';
import { FinalRefusal, refusalReason, withIdempotencyKey, type ProviderAccess } from './client';
import { ALL_VERSIONS, buryIntent, storedHolds } from '../books/paymentStore';

/**
 * Takes `amountMinor` of a hold; the rest is released.
 * @throws FinalRefusal where the hold is gone, another amount was taken or this one cannot be; whatever leaves the
 * outcome unknown: call again
 */
export async function captureHold(
  access: ProviderAccess,
  { rideId, intentId, amountMinor }: { rideId: string; intentId: string; amountMinor: number },
): Promise<void> {
  const { client } = access;
  let intent: Stripe.PaymentIntent = await client.paymentIntents.retrieve(intentId);
  if (intent.status === 'requires_capture') {
    const { currency } = intent;
    intent = await withIdempotencyKey(access, `${rideId}/capture/1`, (idempotencyKey) => {
      const amount = toProvider(amountMinor, currency);
      return client.paymentIntents.capture(intentId, { amount_to_capture: amount }, { idempotencyKey });
    }).catch((error: unknown) => refused(access, intentId, error));
  }
  const { status } = intent;
  if (status === 'processing') throw new Error(`the capture of hold ${intentId} is not decided yet`);
  if (status !== 'succeeded')
    throw new FinalRefusal('hold_gone', `hold ${intentId} is ${status}: nothing to capture`);
  const taken = fromProvider(intent.amount_received, intent.currency);
  if (taken !== amountMinor)
    throw new FinalRefusal(
      'captured_otherwise',
      `hold ${intentId} was captured with ${taken}, not ${amountMinor}`,
    );
}

/** A hold that was refused because it ended between the look and the capture is gone, as the next look shows. */
async function refused(
  { client }: ProviderAccess,
  intentId: string,
  error: unknown,
): Promise<Stripe.PaymentIntent> {
  if (refusalReason(error) === undefined) throw error;
  const intent = await client.paymentIntents.retrieve(intentId);
  if (intent.status === 'requires_capture')
    throw new FinalRefusal('capture_refused', (error as Error).message);
  return intent;
}

/**
 * Releases every hold that was asked for a ride, or the one of a version: each may never have come about, be declined,
 * ended or released already.
 * @returns the last intent, which no longer holds anything, or null when none was made
 * @throws FinalRefusal where one was captured, when the others are released; whatever leaves the outcome unknown: call
 * again
 */
export async function voidHolds(
  access: ProviderAccess,
  { rideId, holdVersion }: { rideId: string; holdVersion?: number },
): Promise<string | null> {
  // One whose id is not stored yet may still be on its way: it is not confirmed any more.
  await buryIntent(access.pool, {
    ...{ paymentId: rideId, purpose: 'hold', intentVersion: holdVersion ?? ALL_VERSIONS },
  });
  const holds = await storedHolds(access.pool, rideId);
  const captured: string[] = [];
  for (const { intentVersion, intentId } of holds) {
    if (holdVersion !== undefined && intentVersion !== holdVersion) continue;
    const { status } = await access.client.paymentIntents.retrieve(intentId);
    if (status === 'succeeded') captured.push(intentId);
    if (status === 'succeeded' || status === 'canceled') continue;
    await withIdempotencyKey(access, `${rideId}/void/${intentVersion}`, (idempotencyKey) =>
      access.client.paymentIntents.cancel(intentId, {}, { idempotencyKey }),
    );
  }
  if (captured.length > 0)
    throw new FinalRefusal('hold_captured', `hold ${captured.join()} is captured: it can only be refunded`);
  return holds.at(-1)?.intentId ?? null;
}
