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
  /** It was paid and came back. */
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
  readonly reason: string | null;
};

/** From which statuses a fact may follow. */
export const payoutTransitions: Readonly<Record<PayoutFactType, readonly (PayoutStatus | 'nothing')[]>> = {
  'payout.started': ['nothing'],
  'payout.paid': ['started'],
  'payout.failed': ['started'],
  'payout.returned': ['paid'],
};

/** The payout after a fact. Folding all of a payout's facts from `null` rebuilds its row. */
export function foldPayout(payout: Payout | null, fact: PayoutFact): Payout {
  const status = payout?.status ?? 'nothing';
  if (!payoutTransitions[fact.type].includes(status))
    throw new Error(`impossible: ${fact.type} on a payout that is ${status}`);
  if (fact.type === 'payout.started')
    return { ...fact.data, version: 1, status: 'started', transferId: null, reason: null };
  if (payout === null) throw new Error(`impossible: ${fact.type} before payout.started`);
  const version = payout.version + 1;
  if (fact.type === 'payout.paid')
    return { ...payout, version, status: 'paid', transferId: fact.data.transferId };
  const ended = fact.type === 'payout.failed' ? 'failed' : 'returned';
  return { ...payout, version, status: ended, reason: fact.data.reason };
}

/** One step a fact: the activity by which a payout's workflow records it. */
export const payoutSteps = {
  'payout.started': 'startPayout',
  'payout.paid': 'recordPaid',
  'payout.failed': 'recordFailed',
  'payout.returned': 'recordReturned',
} as const satisfies Record<PayoutFactType, string>;
