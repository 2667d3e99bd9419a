import type { PaymentOrder } from './paymentFacts';
import type { Policies } from './policies';
import type { PaymentMethod, Ride, RideRequest } from './ride';

/** What the workflows are started with: everything they need, so that a replay decides the same. */
export interface RideStart {
  readonly request: RideRequest;
  /** When the rider asked, ISO 8601 in UTC: the claim's time. */
  readonly requestedAt: string;
  readonly policies: Policies;
  /** The ride as it was released, where it has waited for its time: its request is recorded. */
  readonly released?: Ride;
}

export interface PaymentStart {
  readonly order: PaymentOrder;
  readonly policies: Policies;
  /** The workflow to be told of the authorization. */
  readonly rideWorkflowId: string;
}

/** What the workflow of a dispute is started with, by news of the provider; more news is the signal `providerNews`. */
export interface DisputeStart {
  readonly disputeId: string;
  readonly policies: Policies;
}

/** What is started with, by news of the provider, for a payment whose own workflow is over. */
export interface LateRefundsStart {
  readonly rideId: string;
  readonly policies: Policies;
}

/** What the workflow of a payout is started with: by its batch, or by news of the provider when it is over. */
export interface PayoutStart {
  readonly payoutId: string;
  readonly policies: Policies;
  /** What there is to pay out, if it was not started before; null where the provider has news of one that was. */
  readonly due: PayoutDue | null;
}

/** One payout a driver, currency and period. */
export interface PayoutDue {
  readonly driverId: string;
  readonly currency: string;
  /** `2026-W09`. */
  readonly period: string;
}

/** What a batch of payouts is started with: by the Schedule, or by itself when it goes on as a new run. */
export interface PayoutBatchStart {
  readonly policies: Policies;
  /** How many drivers are looked at at once, and how often in one run, so that its history stays short. */
  readonly pageSize: number;
  readonly pagesPerRun: number;
  /** In real time, at any speed: rides ask the same provider, by the same worker. */
  readonly payoutsPerSecond: number;
  /** The week that it began in unless told otherwise: `2026-W09`. */
  readonly period?: string;
  /** Where a further run goes on: behind this driver; and how many payouts were due so far. */
  readonly after?: string;
  readonly dueSoFar?: number;
}

/** What a reconciliation is started with: by its Schedule, or by hand. Durations are real ones at any speed. */
export interface ReconciliationStart {
  /** How far back it looks at what has changed; what is open is looked at however old. */
  readonly sinceMs: number;
  /** Repair what is safe. */
  readonly repairs: boolean;
  /** Between a look and the next. */
  readonly settleMs: number;
}

/** The provider has said something about one of its objects; whoever hears of it looks at the provider. */
export interface ProviderNews {
  readonly eventId: string;
  /** `charge.dispute.closed`. */
  readonly type: string;
  readonly objectId: string;
}

/** What became of a ride's authorization; `method` where it is not the one that was asked for first. */
export type Authorization =
  | { readonly authorized: true; readonly method?: PaymentMethod }
  | { readonly authorized: false; readonly reason: string };

/** What a rider gives after the ride, in minor units of the ride's currency. */
export interface Tip {
  readonly amountMinor: number;
}

/** What an operator gives back. The same `refundKey` is the same refund. */
export interface RefundOrder {
  readonly refundKey: string;
  readonly amountMinor: number;
  readonly reason: string;
  /** The operator's id. */
  readonly by: string;
}

/** What an operator knows of a call to the provider of which the payment does not. */
export interface OperatorsWord {
  readonly outcome: 'happened' | 'did_not_happen';
  readonly evidence: string;
  /** The operator's id. */
  readonly by: string;
  /** What the provider calls what came of it: a charge or a refund has to have one. */
  readonly objectId?: string;
}

/** What an operator gives up: a fee, or what is owed of one or of a fare. */
export interface FeeWaiver {
  readonly reason: string;
  /** The operator's id. */
  readonly by: string;
}

/** What a ride shall have cost its rider, beside tips. The same `adjustmentKey` is the same adjustment. */
export interface ChargeAdjustment {
  readonly adjustmentKey: string;
  readonly toMinor: number;
  readonly reason: string;
  /** The operator's id. */
  readonly by: string;
}

/** What was given back: by this refund, and by all of this payment's. */
export interface Refund {
  readonly refundId: string;
  readonly amountMinor: number;
  readonly refundedMinor: number;
  readonly currency: string;
}

/** A driver who said yes. */
export interface AcceptedOffer {
  readonly offerId: string;
  readonly driverId: string;
}

/** A transition to be recorded: the fact, and the version that the decision was made on. */
export interface Step<Fact> {
  readonly stepId: string;
  readonly aggregateId: string;
  /** 0 where nothing exists yet. */
  readonly expectedVersion: number;
  readonly fact: Fact;
}

/**
 * What became of a step. `applied` is false where another step had taken the version: then `state` is what is
 * committed, and the decision has to be made anew on it.
 */
export interface Recorded<State> {
  readonly applied: boolean;
  readonly state: State;
  /** The ids of the steps that had taken the version, and those after it. */
  readonly takenBy?: readonly string[];
  /** Of the driver whom a step has freed or reserved: what they hold now. */
  readonly lease?: DriverLease;
}

/** The rides that a driver holds: at most one that is live, and one that is theirs after it. */
export interface DriverLease {
  readonly rideId: string | null;
  readonly nextRideId: string | null;
}
