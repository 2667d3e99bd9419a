import type Stripe from 'stripe';
import type { Charged } from '../../domain/paymentCalls';
import {
  declineReason,
  FinalRefusal,
  refusalReason,
  withIdempotencyKey,
  type ProviderAccess,
} from './provider';
import { storedIntentId, storeIntentId, type IntentRef } from './store';

type Intent = Stripe.PaymentIntent;

/** Money to be had from a card: held until it is captured, or charged at once. */
export interface Charge {
  readonly ref: IntentRef;
  /** In minor units of `currency`. */
  readonly amountMinor: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
  /** The provider's token of the card. */
  readonly paymentMethod: string;
}

const stepOf = { hold: 'authorize', tip: 'tip' } as const;

/**
 * Holds or charges, once, however often it is called. The intent is created unconfirmed and its id stored; only then
 * is it confirmed. So a confirm whose answer was lost is resolved by looking at the intent.
 * @throws whatever leaves the outcome unknown: call again
 */
export async function chargeCard(access: ProviderAccess, charge: Charge): Promise<Charged> {
  try {
    const intent = await storedOrNewIntent(access, charge);
    return outcome(
      intent.status === 'requires_confirmation' ? await confirm(access, charge, intent.id) : intent,
    );
  } catch (error) {
    const reason = declineReason(error);
    if (reason === undefined) throw error;
    return { charged: false, reason };
  }
}

async function storedOrNewIntent(access: ProviderAccess, charge: Charge): Promise<Intent> {
  const { pool, client } = access;
  const { ref, amountMinor, currency, paymentMethod } = charge;
  const stored = await storedIntentId(pool, ref);
  if (stored !== null) return client.paymentIntents.retrieve(stored);
  const step = stepOf[ref.purpose];
  const created = await withIdempotencyKey(access, keyOf(ref, 'create'), (idempotencyKey) =>
    client.paymentIntents.create(
      {
        amount: amountMinor,
        currency: currency.toLowerCase(),
        capture_method: ref.purpose === 'hold' ? 'manual' : 'automatic',
        payment_method: paymentMethod,
        // No method that sends the rider to another page: nobody would be there.
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        // A route that changes under way may cost more than was held for it.
        ...(ref.purpose === 'hold'
          ? { payment_method_options: { card: { request_incremental_authorization: 'if_available' } } }
          : {}),
        metadata: { rideId: ref.paymentId, step },
      },
      { idempotencyKey },
    ),
  );
  const intentId = await storeIntentId(pool, ref, created.id);
  return intentId === created.id ? created : client.paymentIntents.retrieve(intentId);
}

function confirm(access: ProviderAccess, { ref }: Charge, intentId: string): Promise<Intent> {
  return withIdempotencyKey(access, keyOf(ref, 'confirm'), (idempotencyKey) =>
    access.client.paymentIntents.confirm(
      intentId,
      // The rider is not at a checkout: a card that wants a second factor is a declined one.
      { error_on_requires_action: true, ...(ref.purpose === 'tip' ? { off_session: true } : {}) },
      { idempotencyKey },
    ),
  );
}

const keyOf = ({ paymentId, purpose, intentVersion }: IntentRef, call: 'create' | 'confirm'): string =>
  `${paymentId}/${stepOf[purpose]}/${intentVersion}/${call}`;

function outcome(intent: Intent): Charged {
  switch (intent.status) {
    case 'requires_capture':
    case 'succeeded':
      return { charged: true, intentId: intent.id };
    case 'requires_payment_method':
    case 'requires_action':
    case 'canceled': {
      const error = intent.last_payment_error;
      return { charged: false, reason: error?.decline_code || error?.code || intent.status };
    }
    default:
      throw new Error(`intent ${intent.id} is ${intent.status}: not decided yet`);
  }
}

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
  let intent = await client.paymentIntents.retrieve(intentId);
  if (intent.status === 'requires_capture') {
    intent = await withIdempotencyKey(access, `${rideId}/capture/1`, (idempotencyKey) =>
      client.paymentIntents.capture(intentId, { amount_to_capture: amountMinor }, { idempotencyKey }),
    ).catch((error: unknown) => {
      const reason = refusalReason(error);
      throw reason === undefined ? error : new FinalRefusal('capture_refused', reason);
    });
  }
  const { status, amount_received: taken } = intent;
  if (status === 'processing') throw new Error(`the capture of hold ${intentId} is not decided yet`);
  if (status !== 'succeeded')
    throw new FinalRefusal('hold_gone', `hold ${intentId} is ${status}: nothing to capture`);
  if (taken !== amountMinor)
    throw new FinalRefusal(
      'captured_otherwise',
      `hold ${intentId} was captured with ${taken}, not ${amountMinor}`,
    );
}

/**
 * Releases a ride's hold, if there is one: it may never have come about, be declined or released already.
 * @returns the intent that no longer holds anything, or null when none was made
 * @throws FinalRefusal where it was captured; whatever leaves the outcome unknown: call again
 */
export async function voidHold(access: ProviderAccess, rideId: string): Promise<string | null> {
  const { pool, client } = access;
  const ref: IntentRef = { paymentId: rideId, purpose: 'hold', intentVersion: 1 };
  const intentId = await storedIntentId(pool, ref);
  // An intent whose id was not stored was not confirmed either: it holds nothing.
  if (intentId === null) return null;
  const { status } = await client.paymentIntents.retrieve(intentId);
  if (status === 'canceled') return intentId;
  if (status === 'succeeded')
    throw new FinalRefusal('hold_captured', `hold ${intentId} is captured: it can only be refunded`);
  await withIdempotencyKey(access, `${rideId}/void/1`, (idempotencyKey) =>
    client.paymentIntents.cancel(intentId, {}, { idempotencyKey }),
  );
  return intentId;
}
