import { validate as isUuid } from 'uuid';
import type { ProviderEvent } from '../../../contracts/api/providerEvents';
import type { Payment } from '../../../domain/payment';
import type { ProviderNews } from '../../../domain/sagas';

/** What an event of the provider is about, with the ids that it names itself. */
export type NewsAbout =
  | { readonly about: 'payment'; readonly intentId: string; readonly rideId: string | null }
  | { readonly about: 'dispute'; readonly disputeId: string; readonly intentId: string | null }
  | { readonly about: 'payout'; readonly payoutId: string };

export interface ReadNews {
  readonly news: ProviderNews;
  readonly about: NewsAbout;
}

/** What an event says to us; null where it is of a kind that we do not follow, or not about anything of ours. */
export function readNews(event: ProviderEvent): ReadNews | null {
  const { id: eventId, type } = event;
  const { metadata } = event.data.object;
  const objectId = idOrNull(event.data.object.id);
  const intentId = idOrNull(event.data.object.payment_intent);
  if (objectId === null) return null;
  const news = { eventId, type, objectId };
  if (type.startsWith('charge.dispute.'))
    return { news, about: { about: 'dispute', disputeId: objectId, intentId } };
  // That one was made is our own doing.
  if (type === 'transfer.reversed' || type === 'transfer.updated') {
    const payoutId = uuidIn(metadata, 'payoutId');
    return payoutId === null ? null : { news, about: { about: 'payout', payoutId } };
  }
  const rideId = uuidIn(metadata, 'rideId');
  if (type.startsWith('payment_intent.'))
    return { news, about: { about: 'payment', intentId: objectId, rideId } };
  if (/^(charge|refund)\./.test(type) && intentId !== null)
    return { news, about: { about: 'payment', intentId, rideId } };
  return null;
}

/** The id of what the provider gives as an id or as a whole. */
function idOrNull(object: unknown): string | null {
  const id = typeof object === 'object' && object !== null && 'id' in object ? object.id : object;
  return typeof id === 'string' && /^\w{1,255}$/.test(id) ? id : null;
}

function uuidIn(metadata: unknown, name: string): string | null {
  const text = (metadata as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return typeof text === 'string' && isUuid(text) ? text : null;
}

/**
 * Whether a payment can learn anything from it. Most news is the echo of what the payment itself has asked for and has
 * recorded, or is about to: telling it would only fill its history. What it does not know is worth a look.
 */
export function canUse({ status, intentId }: Payment, { type, objectId }: ProviderNews): boolean {
  if (status === 'action_required' || status === 'unresolved') return true;
  // A hold that has ended by itself, or was released at the provider's own desk.
  if (type === 'payment_intent.canceled') return status === 'authorized' && intentId === objectId;
  return type === 'refund.failed';
}
