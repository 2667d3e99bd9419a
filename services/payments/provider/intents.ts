import type Stripe from 'stripe';
import type { Charged } from '../../../domain/paymentCalls';
import { fromProvider, toProvider } from './amounts';
import {
  declineReason,
  idOf,
  refusalReason,
  usedOtherwise,
  withIdempotencyKey,
  type ProviderAccess,
} from './client';
import { asCustomer, fingerprintOf } from './customers';
import {
  isBuried,
  storeActionUrl,
  storedIntentId,
  storeIntentId,
  type IntentRef,
} from '../books/paymentStore';

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
  /** The rider can answer their bank: a card that wants that is no declined one. */
  readonly riderIsThere?: boolean;
}

const stepOf = { hold: 'authorize', tip: 'tip', charge: 'charge', extra: 'extra' } as const;

/**
 * Holds or charges, once, however often it is called. The intent is created unconfirmed and its id stored; only then
 * is it confirmed, unless it was given up meanwhile. So a confirm whose answer was lost is resolved by looking at the
 * intent. What the rider's bank wants to ask the rider is an answer, too; called again, this looks how that went.
 * @throws whatever leaves the outcome unknown: call again
 */
export async function chargeCard(access: ProviderAccess, charge: Charge): Promise<Charged> {
  try {
    const stored = await storedOrNewIntent(access, charge);
    if (isOfAnother(stored, charge)) return { charged: false, reason: 'charged_otherwise' };
    const isNew = stored.status === 'requires_confirmation';
    if (isNew && (await isBuried(access.pool, charge.ref))) return { charged: false, reason: 'given_up' };
    const intent = isNew ? await confirm(access, charge, stored.id) : stored;
    if (intent.status === 'requires_action' && charge.riderIsThere) return await actionOf(access, intent);
    const charged = outcome(intent);
    return intent.status === 'requires_capture' && isMerchants(charge)
      ? { ...charged, ...(await endOf(access, intent)) }
      : charged;
  } catch (error) {
    const reason = declineReason(error) ?? refusedCharge(error);
    if (reason === undefined) throw error;
    return { charged: false, reason };
  }
}

/** What was charged with another amount is not taken for this charge. A hold may have been raised since it was made. */
const isOfAnother = ({ amount, currency }: Intent, charge: Charge): boolean =>
  charge.ref.purpose !== 'hold' &&
  (currency.toUpperCase() !== charge.currency || fromProvider(amount, currency) !== charge.amountMinor);

async function storedOrNewIntent(access: ProviderAccess, charge: Charge): Promise<Intent> {
  const { pool, client } = access;
  const { ref, amountMinor, currency, paymentMethod: token } = charge;
  const stored = await storedIntentId(pool, ref);
  if (stored !== null) return client.paymentIntents.retrieve(stored);
  const amount = toProvider(amountMinor, currency);
  const card = { paymentId: ref.paymentId, token, step: `${stepOf[ref.purpose]}/${ref.intentVersion}` };
  const created = await asCustomer(access, card, (payer) =>
    // Another payer is another request. An intent that was made for the one before is never confirmed.
    withIdempotencyKey(access, `${keyOf(ref, 'create')}/${fingerprintOf(payer)}`, (idempotencyKey) =>
      client.paymentIntents.create(
        {
          amount,
          currency: currency.toLowerCase(),
          capture_method: ref.purpose === 'hold' ? 'manual' : 'automatic',
          customer: payer.customerId,
          payment_method: payer.paymentMethod,
          // No method that lives on another page; a card's bank may still have one to ask its owner on.
          allowed_payment_method_types: ['card'],
          // A route that changes under way may cost more than was held for it.
          ...(ref.purpose === 'hold'
            ? { payment_method_options: { card: { request_incremental_authorization: 'if_available' } } }
            : {}),
          metadata: { rideId: ref.paymentId, step: stepOf[ref.purpose] },
        },
        { idempotencyKey },
      ),
    ),
  );
  const intentId = await storeIntentId(pool, ref, created.id);
  return intentId === created.id ? created : client.paymentIntents.retrieve(intentId);
}

/** Asked for by us alone. To a ride's first hold its rider has agreed when they asked for the ride. */
const isMerchants = ({ ref, riderIsThere = false }: Charge): boolean =>
  !riderIsThere && !(ref.purpose === 'hold' && ref.intentVersion === 1);

function confirm(access: ProviderAccess, charge: Charge, intentId: string): Promise<Intent> {
  const { client, returnUrl } = access;
  const { ref, riderIsThere = false } = charge;
  const alone = { error_on_requires_action: true, ...(isMerchants(charge) ? { off_session: true } : {}) };
  return withIdempotencyKey(access, keyOf(ref, 'confirm'), (idempotencyKey) =>
    client.paymentIntents.confirm(
      intentId,
      riderIsThere && returnUrl !== undefined ? { return_url: returnUrl } : alone,
      { idempotencyKey },
    ),
  );
}

/** These may be said because of what another call has done, or of another account: the next look shows which. */
const notTheCharge: ReadonlySet<string> = new Set([
  'payment_intent_unexpected_state',
  'resource_missing',
  usedOtherwise,
]);

/** Why a charge is refused for good: an account that may not charge, a currency that it cannot take. */
function refusedCharge(error: unknown): string | undefined {
  const reason = refusalReason(error);
  return reason === undefined || notTheCharge.has(reason) ? undefined : reason;
}

const keyOf = ({ paymentId, purpose, intentVersion }: IntentRef, call: 'create' | 'confirm'): string =>
  `${paymentId}/${stepOf[purpose]}/${intentVersion}/${call}`;

/** The rider's bank asks on a page of its own, which is kept beside the intent: no fact and no history has it. */
async function actionOf({ pool }: ProviderAccess, intent: Intent): Promise<Charged> {
  const url = intent.next_action?.redirect_to_url?.url;
  if (url) await storeActionUrl(pool, intent.id, url);
  return { charged: false, reason: 'action_required', actionIntentId: intent.id };
}

/**
 * Until when a hold can be captured, where the provider says so: a card's brand gives those of merchants less time
 * (https://docs.stripe.com/payments/place-a-hold-on-a-payment-method, validity windows).
 */
async function endOf({ client }: ProviderAccess, { latest_charge }: Intent): Promise<{ heldUntil?: string }> {
  const chargeId = idOf(latest_charge);
  if (chargeId === undefined) return {};
  const { payment_method_details: details } = await client.charges.retrieve(chargeId);
  const endsAt = details?.card?.capture_before;
  return endsAt ? { heldUntil: new Date(endsAt * 1_000).toISOString() } : {};
}

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
