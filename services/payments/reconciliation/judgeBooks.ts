import { isDeepStrictEqual } from 'node:util';
import { foldDispute, type DisputeFact } from '../../../domain/dispute';
import { disputeEntries, ledgerEntries, payoutEntries, type LedgerEntry } from '../../../domain/ledger';
import { foldPayment } from '../../../domain/payment';
import type { PaymentFact } from '../../../domain/paymentFacts';
import { foldPayout, type PayoutFact } from '../../../domain/payout';
import type { Drift } from '../../../domain/reconciliation';
import { groupBy, type Family, type RecordedStep } from './pages';

interface Rules {
  readonly fold: (state: unknown, fact: unknown) => object;
  readonly entries: (fact: unknown) => LedgerEntry[];
  readonly idName: string;
}

/** How each family is folded and booked. */
const rules: Readonly<Record<Family, Rules>> = {
  payment: {
    fold: (state, fact) => foldPayment(state as Parameters<typeof foldPayment>[0], fact as PaymentFact),
    entries: (fact) => ledgerEntries(fact as PaymentFact),
    idName: 'rideId',
  },
  dispute: {
    fold: (state, fact) => foldDispute(state as Parameters<typeof foldDispute>[0], fact as DisputeFact),
    entries: (fact) => disputeEntries(fact as DisputeFact),
    idName: 'disputeId',
  },
  payout: {
    fold: (state, fact) => foldPayout(state as Parameters<typeof foldPayout>[0], fact as PayoutFact),
    entries: (fact) => payoutEntries(fact as PayoutFact),
    idName: 'payoutId',
  },
};

/** The id of an aggregate by its family's name for it. */
export const idsOf = (family: Family, id: string): Record<string, string> => ({ [rules[family].idName]: id });

/** What is kept of one aggregate. */
export interface Kept {
  readonly family: Family;
  readonly id: string;
  readonly row: object | null;
  readonly steps: readonly RecordedStep[];
  readonly bookings: ReadonlyMap<string, readonly LedgerEntry[]>;
}

const byHand = 'somebody has written to the database beside the house: compare with a backup';

/** The row is the fold of its facts, and each fact that moves money has exactly its booking. */
export function judgeBooks({ family, id, row, steps, bookings }: Kept): Drift[] {
  const { fold, entries } = rules[family];
  const ids = idsOf(family, id);
  let state: object | null = null;
  try {
    for (const [index, { version, fact }] of steps.entries()) {
      if (version !== index + 1) throw new Error(`version ${index + 1} is missing`);
      state = fold(state, fact);
    }
  } catch (error) {
    return [{ kind: 'facts_broken', ids, says: `its facts do not fold: ${words(error)}`, action: byHand }];
  }
  return [
    ...judgeRow(row, state).map((says): Drift => ({ kind: 'row_differs', ids, says, action: byHand })),
    ...steps.flatMap(({ stepId, fact }) =>
      judgeBooking(fact.type, entries(fact), bookings.get(stepId) ?? []).map((drift): Drift => ({
        ...drift,
        ids: { ...ids, stepId },
      })),
    ),
  ];
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function judgeRow(row: object | null, folded: object | null): string[] {
  if (row === null) return folded === null ? [] : ['there are facts and no row'];
  const asKept = folded === null ? {} : (JSON.parse(JSON.stringify(folded)) as Record<string, unknown>);
  const fields = new Set([...Object.keys(row), ...Object.keys(asKept)]);
  const differ = [...fields].filter(
    (field) => !isDeepStrictEqual((row as Record<string, unknown>)[field], asKept[field]),
  );
  if (differ.length === 0) return [];
  const each = differ.map(
    (field) =>
      `${field} is ${shown((row as Record<string, unknown>)[field])}, by its facts ${shown(asKept[field])}`,
  );
  return [each.join('; ')];
}

/** In short, without what a card could be charged by: a drift is a fact, and is printed. */
const shown = (value: unknown): string =>
  (
    JSON.stringify(value, (name, inner: unknown) => (name === 'token' ? 'not shown' : inner)) ?? 'not there'
  ).slice(0, 80);

type BookingDrift = Omit<Drift, 'ids'>;

function judgeBooking(
  fact: string,
  expected: readonly LedgerEntry[],
  booked: readonly LedgerEntry[],
): BookingDrift[] {
  if (booked.length === 0 && expected.length > 0) {
    const { currency } = expected[0]!;
    const byMinor = -expected.reduce((sum, { amountMinor }) => sum + Math.max(0, amountMinor), 0);
    return [
      {
        ...{ kind: 'booking_missing', byMinor, currency },
        says: `${fact} moves money and is not booked`,
        action: byHand,
      },
    ];
  }
  const place = ({ account, currency }: LedgerEntry): string => `${account} ${currency}`;
  const [ours, theirs] = [groupBy(booked, place), groupBy(expected, place)];
  for (const account of new Set([...ours.keys(), ...theirs.keys()])) {
    const byMinor = sumOf(ours.get(account)) - sumOf(theirs.get(account));
    if (byMinor === 0) continue;
    const [name = '', currency = ''] = account.split(' ');
    return [
      {
        ...{ kind: 'booking_differs', byMinor, currency },
        says: `${name} has another amount than ${fact} says`,
        action: byHand,
      },
    ];
  }
  return [];
}

const sumOf = (entries: readonly LedgerEntry[] = []): number =>
  entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
