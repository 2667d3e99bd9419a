import type { Account } from '../../../domain/ledger';
import type { Payment } from '../../../domain/payment';
import type { Ride } from '../../../domain/ride';
import type { Policies } from '../../../domain/policies';
import type { Memories } from '../people/record';

/** A committed fact, as its owner's database has it. */
export interface RecordedFact {
  /** CloudEvents' id: type, aggregate and version. */
  readonly id: string;
  /** Without the prefix. */
  readonly topic: string;
  readonly key: string;
  readonly sequence: number;
  readonly type: string;
  readonly at: string;
  readonly data: unknown;
}

/** A record as it lies in Kafka; those of a partition in order of their offsets. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly id: string;
  readonly sequence: number;
}

export interface LedgerLine {
  readonly transactionId: string;
  /** The fact that it books. */
  readonly kind: string;
  /** Null for a payout. */
  readonly rideId: string | null;
  readonly account: Account;
  readonly currency: string;
  readonly amountMinor: number;
}

/** Money that moved at the provider, by its own books. */
export interface ProviderMovement {
  /** `capture`, `refund`, `transfer`, `dispute` …: more may come. */
  readonly kind: string;
  readonly intentId: string | null;
  readonly rideId: string | null;
  readonly amountMinor: number;
  /** What it did to our balance there: a capture adds, a refund takes. */
  readonly netMinor: number;
  readonly currency: string;
}

export interface OpenAuthorization {
  readonly intentId: string;
  readonly rideId: string | null;
}

/** What one consumer has done, by its own database and its group's offsets. */
export interface ConsumerState {
  readonly applied: number;
  readonly lag: number;
}

/** Rides by what analytics has counted. */
export interface AnalyticsTotals {
  readonly requested: number;
  readonly completed: number;
  readonly cancelled: number;
  readonly noDriver: number;
}

/** Something that somebody was told, about a fact. */
export interface Notified {
  readonly factId: string;
  readonly recipientId: string;
  readonly channel: string;
  readonly template: string;
}

/** What the people of the city saw and were told by the API in this run. */
export type WhatWasTold = { readonly [K in keyof Memories]: Readonly<Memories[K]> };

/** Everything that the verdict is about, loaded; judging it needs nothing else. */
export interface Evidence extends WhatWasTold {
  /** By which this run's rides went: those of earlier runs may have gone by others. */
  readonly policies: Policies;

  readonly rides: readonly Ride[];
  readonly claims: readonly { readonly caller: string; readonly key: string; readonly rideId: string }[];
  readonly payments: readonly Payment[];
  /** Of all owners; of a key in order of the sequence. */
  readonly facts: readonly RecordedFact[];
  readonly ledger: readonly LedgerLine[];
  /** What the relay or a consumer has put aside, and why. */
  readonly parked: readonly string[];

  readonly log: readonly LogRecord[];
  /** Records in dead-letter topics, by topic. */
  readonly deadLetters: Readonly<Record<string, number>>;

  readonly movements: readonly ProviderMovement[];
  readonly openAuthorizations: readonly OpenAuthorization[];

  readonly consumers: Readonly<Record<string, ConsumerState>>;
  /** The fact behind every row of the audit store, and the topic that it came from. */
  readonly audited: readonly { readonly id: string; readonly topic: string }[];
  readonly analytics: AnalyticsTotals;
  readonly notified: readonly Notified[];
  /** Rides of which a way is kept. */
  readonly ways: readonly string[];
}

/** What is wrong, a line each; nothing when the promise was kept. */
export type Violations = string[];
export type Invariant = (evidence: Evidence) => Violations;

/** Groups by key, in order of appearance. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** The facts of rides, by ride. */
export const factsOfRides = (facts: readonly RecordedFact[]): Map<string, RecordedFact[]> =>
  groupBy(
    facts.filter(({ type }) => type.startsWith('ride.')),
    ({ key }) => key,
  );

/** Those that appear more than once, each once. */
export const repeats = (items: readonly string[]): string[] => {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const item of items) (seen.has(item) ? again : seen).add(item);
  return [...again];
};
