import { chargeStepMinor, decimalsOf, mostChargeableMinor } from './money';
import type { Policies } from './policies';

/** Where a payout to a driver stands. */
export type PayoutStatus = 'started' | 'paid' | 'failed' | 'returned';

interface PayoutAmount {
  readonly driverId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** The data of every fact of a payout. contracts/facts/payments.ts holds the schema of each to this. */
export interface PayoutFactData {
  /** `period` names the batch: `2026-W09`; one payout a driver, currency and period. */
  'payout.started': PayoutAmount & {
    readonly payoutId: string;
    readonly period: string;
    /** The driver's account at the provider. */
    readonly destination: string;
  };
  'payout.paid': PayoutAmount & { readonly transferId: string };
  /** The provider refused it: nothing has moved. */
  'payout.failed': PayoutAmount & { readonly reason: string };
  /** This much of what was paid has come back: all of it, or a part. */
  'payout.returned': PayoutAmount & { readonly reason: string };
}

export type PayoutFactType = keyof PayoutFactData;

/** What happened to a payout, and when. */
export type PayoutFact = {
  [T in PayoutFactType]: { readonly type: T; readonly at: string; readonly data: PayoutFactData[T] };
}[PayoutFactType];

/** A payout as its facts tell it; the row in Postgres is exactly this. */
export type Payout = PayoutFactData['payout.started'] & {
  readonly version: number;
  readonly status: PayoutStatus;
  readonly transferId: string | null;
  /** What has come back of what was paid, in minor units. */
  readonly returnedMinor: number;
  readonly reason: string | null;
};

/** What became of a transfer to the driver's account. */
export type Transferred =
  | { readonly transferred: true; readonly transferId: string }
  | { readonly transferred: false; readonly reason: string };

/** From which statuses a fact may follow. */
export const payoutTransitions: Readonly<Record<PayoutFactType, readonly (PayoutStatus | 'nothing')[]>> = {
  'payout.started': ['nothing'],
  'payout.paid': ['started'],
  'payout.failed': ['started'],
  'payout.returned': ['paid', 'returned'],
};

/** The payout after a fact. Folding all of a payout's facts from `null` rebuilds its row. */
export function foldPayout(payout: Payout | null, fact: PayoutFact): Payout {
  const status = payout?.status ?? 'nothing';
  if (!payoutTransitions[fact.type].includes(status))
    throw new Error(`impossible: ${fact.type} on a payout that is ${status}`);
  if (fact.type === 'payout.started')
    return { ...fact.data, version: 1, status: 'started', transferId: null, returnedMinor: 0, reason: null };
  if (payout === null) throw new Error(`impossible: ${fact.type} before payout.started`);
  const version = payout.version + 1;
  if (fact.type === 'payout.paid')
    return { ...payout, version, status: 'paid', transferId: fact.data.transferId };
  const { reason } = fact.data;
  if (fact.type === 'payout.failed') return { ...payout, version, status: 'failed', reason };
  const returnedMinor = payout.returnedMinor + fact.data.amountMinor;
  return { ...payout, version, status: 'returned', returnedMinor, reason };
}

/** One step a fact: the activity by which a payout's workflow records it. */
export const payoutSteps = {
  'payout.started': 'startPayout',
  'payout.paid': 'recordPaid',
  'payout.failed': 'recordFailed',
  'payout.returned': 'recordReturned',
} as const satisfies Record<PayoutFactType, string>;

/**
 * What is paid out of a balance, in minor units; 0 where it is less than the minimum, or the driver owes us: that is
 * carried on to the next, and so is what is beyond a payout's most and what the provider cannot send.
 */
export function payoutMinor(
  balanceMinor: number,
  currency: string,
  minimums: Policies['payoutMinimums'],
): number {
  const step = chargeStepMinor(currency);
  const whole = Math.floor(Math.min(balanceMinor, mostChargeableMinor(currency)) / step) * step;
  return whole >= payoutMinimumMinor(currency, minimums) ? whole : 0;
}

/** From how much on a driver is paid out in a currency, in its minor units. */
export const payoutMinimumMinor = (currency: string, minimums: Policies['payoutMinimums']): number =>
  minimums[currency] ?? 10 ** decimalsOf(currency);

const DAY_MS = 24 * 60 * 60 * 1_000;

/** The batch that a time is in, ISO 8601 in UTC: the week of ISO 8601, `2026-W09`, which begins on Monday in UTC. */
export function payoutPeriod(at: string): string {
  const midnightMs = Date.parse(`${at.slice(0, 10)}T00:00:00Z`);
  // A week is of the year that its Thursday is in; Sunday is its last day.
  const thursday = new Date(midnightMs + (4 - (new Date(midnightMs).getUTCDay() || 7)) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS));
  return `${year}-W${String(week).padStart(2, '0')}`;
}
