import type { PaymentFactData, PaymentFactType, ProviderCall } from './paymentFacts';
import type { PaymentMethod } from './ride';

/**
 * What asking a card for money came to. With an `actionIntentId` the rider's bank wants to see the rider before it says:
 * asked again, the answer may be another.
 */
export type Charged =
  | {
      readonly charged: true;
      readonly intentId: string;
      /** Until when a hold can be captured, ISO 8601 in UTC: of one that was asked for without its rider. */
      readonly heldUntil?: string;
    }
  | { readonly charged: false; readonly reason: string; readonly actionIntentId?: string };

/** Why the provider charges nothing: as much as that costs more than it brings, so it is given up. */
export const tooSmall = 'amount_too_small';

/** The facts by which it is known what became of a call to the provider; a release answers for what it released. */
export const factsThatSettle: Readonly<Record<ProviderCall, readonly PaymentFactType[]>> = {
  authorize: [
    'payment.authorized',
    'payment.action_required',
    'payment.declined',
    'payment.method_changed',
    'payment.reauthorized',
    'payment.voided',
  ],
  raiseHold: ['payment.hold_raised', 'payment.voided'],
  voidHold: ['payment.voided', 'payment.captured', 'payment.charge_failed'],
  capture: ['payment.captured', 'payment.charge_failed'],
  collect: ['payment.captured', 'payment.charge_failed', 'payment.collected'],
  chargeTip: ['payment.tip_charged'],
  chargeExtra: ['payment.extra_charged'],
  refund: ['payment.refunded'],
};

/** A hold to be had. Which of its ride's it is, is its version: the same one is asked for once. */
export interface HoldOrder {
  readonly rideId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly method: PaymentMethod;
  /** 1 unless told otherwise; one more for each further method, and for each hold in the place of an old one. */
  readonly holdVersion?: number;
  /** The rider can answer their bank. A card that wants that is a declined one where it is not said. */
  readonly riderIsThere?: boolean;
}

/** What asking for a larger hold came to. A raise that was declined leaves the hold as it was. */
export type Raised = { readonly raised: true } | { readonly raised: false; readonly reason: string };

/** What a ride needs its payment to secure by now, for a change of its route. The same `changeId` is the same raise. */
export interface HoldRaise {
  readonly changeId: string;
  /** The whole amount, in minor units of the payment's currency. */
  readonly toMinor: number;
}

/** Money to be given back. The same `refundKey` and part is the same refund. */
export interface RefundAsked {
  readonly rideId: string;
  readonly intentId: string;
  readonly refundKey: string;
  /** Of a refund over several charges, from 1; payments that began before there were parts do not say it. */
  readonly part?: number;
  readonly amountMinor: number;
  /** Payments that began before this was said are all in dollars. */
  readonly currency?: string;
}

/** Why a refund that was given is none: its money has come back to us. */
export const refundFailed = 'refund_failed';

/** What giving money back came to. */
export type Refunded =
  | { readonly refunded: true; readonly refundId: string }
  | { readonly refunded: false; readonly reason: string };

/**
 * What was taken of a hold beside what was asked for: by somebody else, at the provider. It comes with the refusals
 * `captured_otherwise` and `hold_captured`.
 */
export interface TakenOtherwise {
  readonly intentId: string;
  readonly takenMinor: number;
}

/** Which charge is to be given up: by the call that asked for it. */
export interface GivenUpCharge extends Pick<CardCharge, 'rideId' | 'attempt'> {
  readonly call: 'chargeTip' | 'collect' | 'chargeExtra';
}

/** A refund that is booked, and whose money has come back to us since. */
export type RefundFailed = PaymentFactData['payment.refund_failed'];

/** What is to be booked of a refund: that it has come back to us, or that it was made at the provider itself. */
export interface RefundDiffers {
  readonly type: 'payment.refund_failed' | 'payment.refunded';
  readonly data: RefundFailed;
}

/** A charge that a payment's workflow asks the provider for, with nobody there: a tip, a debt, an operator's. */
export interface CardCharge {
  readonly rideId: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** The provider's token of the card. */
  readonly paymentMethod: string;
  /** 1 for the first one of its kind; one more for each after it. */
  readonly attempt: number;
}
