import type { PaymentIntent } from '../paymentIntent';

/** The version of Stripe's API that the sandbox speaks, as its client names it. */
export const apiVersion = '2026-10-28.endive';

export type IntentEventType =
  | 'payment_intent.amount_capturable_updated'
  | 'payment_intent.requires_action'
  | 'payment_intent.succeeded'
  | 'payment_intent.canceled'
  | 'payment_intent.payment_failed';

/** The news that the sandbox tells (https://docs.stripe.com/api/events/types). */
export type EventType =
  | IntentEventType
  | 'charge.refunded'
  | 'charge.dispute.created'
  | 'charge.dispute.updated'
  | 'charge.dispute.closed'
  | 'refund.failed'
  | 'refund.updated'
  | 'transfer.created'
  | 'transfer.reversed';

/** How an event is to reach the endpoint; without this it is not posted at all. */
export interface Posting {
  /** Not before this time of the sandbox's clock, ISO 8601. */
  readonly notBefore?: string;
  /** How often in all; once unless told otherwise. */
  readonly copies?: number;
  /** Not before a younger event was posted, or `notBefore` is over. */
  readonly heldBack?: true;
}

/** An event in the journal. What it shows is the record's own object of that kind. */
export interface EventRecord {
  readonly id: string;
  readonly type: EventType;
  readonly posting?: Posting;
  /** The request that caused it, if one did. */
  readonly request: { readonly id: string; readonly idempotency_key: string | null } | null;
}

/** An event as the sandbox keeps it; `object` as it was then. */
export interface SandboxEvent {
  readonly id: string;
  readonly type: EventType;
  /** Unix seconds. */
  readonly created: number;
  readonly object: object;
  readonly request: EventRecord['request'];
}

/** What happened to a PaymentIntent between the two. */
export function intentEvents(before: PaymentIntent | undefined, after: PaymentIntent): IntentEventType[] {
  const isNew = before?.status !== after.status;
  switch (after.status) {
    case 'requires_action':
      return before?.next_action === after.next_action ? [] : ['payment_intent.requires_action'];
    case 'requires_capture':
      return isNew || before.amount_capturable !== after.amount_capturable
        ? ['payment_intent.amount_capturable_updated']
        : [];
    case 'succeeded':
      return isNew ? ['payment_intent.succeeded'] : [];
    case 'canceled':
      return isNew ? ['payment_intent.canceled'] : [];
    case 'requires_payment_method':
      return after.last_payment_error !== null && after.last_payment_error !== before?.last_payment_error
        ? ['payment_intent.payment_failed']
        : [];
    case 'requires_confirmation':
      return [];
  }
}
