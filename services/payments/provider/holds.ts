import type Stripe from 'stripe';
import type { TakenOtherwise } from '../../../domain/paymentCalls';
import { fromProvider, toProvider } from './amounts';
import { cancelIntent } from './cancelIntent';
import { FinalRefusal, refusalReason, withIdempotencyKey, type ProviderAccess } from './client';
import { ALL_VERSIONS, buryIntent, storedHolds } from '../books/paymentStore';

/**
 * Takes `amountMinor` of a hold; the rest is released.
 * @throws FinalRefusal where the hold is gone, another amount was taken (and how much), this one cannot be, or is less
 * than the provider takes; whatever leaves the outcome unknown: call again
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
      { intentId, takenMinor: taken },
    );
}

/** A hold that was refused because it ended between the look and the capture is gone, as the next look shows. */
async function refused(
  { client }: ProviderAccess,
  intentId: string,
  error: unknown,
): Promise<Stripe.PaymentIntent> {
  const reason = refusalReason(error);
  if (reason === undefined) throw error;
  const intent = await client.paymentIntents.retrieve(intentId);
  if (intent.status === 'requires_capture') {
    const code = reason === 'amount_too_small' ? reason : 'capture_refused';
    throw new FinalRefusal(code, (error as Error).message);
  }
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
  const captured: TakenOtherwise[] = [];
  for (const { intentVersion, intentId } of holds) {
    if (holdVersion !== undefined && intentVersion !== holdVersion) continue;
    const found = await cancelIntent(access, intentId, `${rideId}/void/${intentVersion}`);
    if (found.status === 'succeeded')
      captured.push({ intentId, takenMinor: fromProvider(found.amount_received, found.currency) });
  }
  const [taken, ...more] = captured;
  if (taken !== undefined) {
    const ids = captured.map((one) => one.intentId).join();
    // More than one is an operator's to settle.
    throw new FinalRefusal(
      'hold_captured',
      `hold ${ids} is captured: it can only be refunded`,
      more.length === 0 ? taken : undefined,
    );
  }
  return holds.at(-1)?.intentId ?? null;
}
