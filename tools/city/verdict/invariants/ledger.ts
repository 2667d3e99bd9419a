import { groupBy, type Evidence, type LedgerLine, type Violations } from '../evidence';

/** Promise 3: every transaction, and so the whole ledger, sums to zero in every currency. */
export function ledgerSumsToZero(evidence: Pick<Evidence, 'ledger'>): Violations {
  const byTransaction = groupBy(
    evidence.ledger,
    ({ transactionId, currency }) => `${transactionId} in ${currency}`,
  );
  return [...byTransaction].flatMap(([transaction, lines]) => {
    const sum = sumOf(lines);
    return sum === 0 ? [] : [`transaction ${transaction} sums to ${sum}`];
  });
}

/** Promise 3: what the ledger has at the provider is what the provider says, ride by ride. */
export function ledgerEqualsProvider(evidence: Pick<Evidence, 'ledger' | 'movements'>): Violations {
  const ours = groupBy(
    evidence.ledger.filter(({ account }) => account === 'provider_clearing'),
    ({ rideId, currency }) => `${rideId} in ${currency}`,
  );
  const theirs = groupBy(evidence.movements, ({ rideId, currency }) => `${rideId ?? 'none'} in ${currency}`);
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((ride) => {
    const booked = sumOf(ours.get(ride) ?? []);
    const moved = (theirs.get(ride) ?? []).reduce(
      (sum, { kind, amountMinor }) => sum + (kind === 'capture' ? amountMinor : -amountMinor),
      0,
    );
    return booked === moved ? [] : [`ride ${ride}: ${booked} in the ledger, ${moved} at the provider`];
  });
}

export const sumOf = (lines: readonly LedgerLine[]): number =>
  lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
