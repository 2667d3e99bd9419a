import type { Happening } from './commit';
import { isClosed, openDispute, type Dispute } from './disputes/dispute';
import type { Effect } from './endpoint';
import { captureMovement, disputeMovements, refundMovement } from './movements';
import type { PaymentIntent } from './paymentIntent';
import type { Step } from './paymentIntents';
import type { Refund } from './refunds';
import { cardOf } from './testCards';
import { intentEvents } from './webhooks/events';

/** What a step of an intent did and what it answers. A card that is disputed is so as soon as it has paid. */
export function stepEffect(
  before: PaymentIntent | undefined,
  { intent, capturedMinor, refusal }: Step,
  at: Date,
): Effect {
  const answer =
    refusal === undefined
      ? { status: 200, body: intent }
      : { status: refusal.status, body: { error: refusal.error } };
  const events = intentEvents(before, intent);
  if (capturedMinor === 0) return { ...answer, intent, events };
  const movements = [captureMovement(intent, capturedMinor, at)];
  const { disputed: reason, inquiry } = cardOf(intent.payment_method ?? '') ?? {};
  if (reason === undefined) return { ...answer, intent, movements, events };
  const opened = disputeOpened(openDispute(intent, { reason, inquiry, left: capturedMinor }, at), intent, at);
  return {
    ...answer,
    intent,
    dispute: opened.dispute,
    movements: [...movements, ...opened.movements],
    events: [...events, ...opened.events],
  };
}

export const refundHappening = (refund: Refund, intent: PaymentIntent, at: Date): Happening => ({
  refund,
  movements: [refundMovement(refund, intent, at)],
  events: ['charge.refunded'],
});

export const disputeOpened = (dispute: Dispute, intent: PaymentIntent, at: Date) =>
  ({
    dispute,
    movements: dispute.changes.length > 0 ? disputeMovements(dispute, intent, at) : [],
    events: ['charge.dispute.created'],
  }) as const;

/** The dispute after an update or what its bank did; money goes where it was taken and comes back where it was won. */
export function disputeHappening(
  before: Dispute,
  dispute: Dispute,
  intent: PaymentIntent,
  at: Date,
): Happening {
  const movements =
    dispute.changes.length > before.changes.length ? disputeMovements(dispute, intent, at) : [];
  if (before.status === dispute.status) return { dispute };
  return {
    dispute,
    movements,
    events: [isClosed(dispute) ? 'charge.dispute.closed' : 'charge.dispute.updated'],
  };
}
