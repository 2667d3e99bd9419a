/** What asking a card for money came to. */
export type Charged =
  | { readonly charged: true; readonly intentId: string }
  | { readonly charged: false; readonly reason: string };

/** What asking for a larger hold came to. A raise that was declined leaves the hold as it was. */
export type Raised = { readonly raised: true } | { readonly raised: false; readonly reason: string };

/** What a ride needs its payment to secure by now, for a change of its route. The same `changeId` is the same raise. */
export interface HoldRaise {
  readonly changeId: string;
  /** The whole amount, in minor units of the payment's currency. */
  readonly toMinor: number;
}

/** What giving money back came to. */
export type Refunded =
  | { readonly refunded: true; readonly refundId: string }
  | { readonly refunded: false; readonly reason: string };

/** The least that a payment's workflow knows of a tip that it asks the provider for. */
export interface TipCharge {
  readonly rideId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly paymentMethod: string;
  /** 1 for the first one asked for; one more after each that was declined. */
  readonly attempt: number;
}
