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

/** Promise 3: what the ledger has at the provider is what the provider says, ride by ride, and of all payouts. */
export function ledgerEqualsProvider(evidence: Pick<Evidence, 'ledger' | 'movements'>): Violations {
  const ours = groupBy(
    evidence.ledger.filter(({ account }) => account === 'provider_clearing'),
    ({ rideId, currency }) => `${rideId ?? 'none'} in ${currency}`,
  );
  const theirs = groupBy(evidence.movements, ({ rideId, currency }) => `${rideId ?? 'none'} in ${currency}`);
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((ride) => {
    const booked = sumOf(ours.get(ride) ?? []);
    const moved = (theirs.get(ride) ?? []).reduce((sum, { netMinor }) => sum + netMinor, 0);
    return booked === moved ? [] : [`ride ${ride}: ${booked} in the ledger, ${moved} at the provider`];
  });
}

/** Promise 3: what a rider still owes is in the books as what we have to get of them, and nothing else is. */
export function debtsAreBooked(evidence: Pick<Evidence, 'ledger' | 'payments'>): Violations {
  const booked = groupBy(
    evidence.ledger.filter(({ account }) => account === 'rider_receivable'),
    ({ rideId }) => rideId ?? 'none',
  );
  return evidence.payments.flatMap(({ rideId, owedMinor }) => {
    const receivable = sumOf(booked.get(rideId) ?? []);
    return receivable === owedMinor ? [] : [`ride ${rideId}: ${owedMinor} is owed, ${receivable} is booked`];
  });
}

const ends = ['payment.captured', 'payment.charge_failed', 'payment.cash_settled'];

/**
 * Of a ride of this run that cost its fare, the state gets the taxes on it, and the platform its share of what is
 * neither tax nor toll. (What an early end leaves of a tax is the domain's to say: there is no second opinion.)
 */
export function sharesOfTheFare(
  evidence: Pick<Evidence, 'accepted' | 'rides' | 'ledger' | 'policies'>,
): Violations {
  const ours = new Set(evidence.accepted.map(({ rideId }) => rideId));
  const booked = groupBy(
    evidence.ledger.filter(({ kind }) => ends.includes(kind)),
    ({ rideId }) => rideId ?? 'none',
  );
  return evidence.rides.flatMap(({ rideId, status, chargeMinor, waitingMinor, fare }) => {
    const isWhole = status === 'completed' && chargeMinor === fare.totalMinor + waitingMinor;
    const isAsQuoted = fare.lines.every(({ kind }) => kind !== 'adjustment');
    if (!ours.has(rideId) || !isWhole || !isAsQuoted || chargeMinor === 0) return [];
    const lines = booked.get(rideId) ?? [];
    const linesOf = (wanted: string): number =>
      fare.lines.reduce((sum, { kind, amountMinor }) => (kind === wanted ? sum + amountMinor : sum), 0);
    const share = (account: string): number => -sumOf(lines.filter((line) => line.account === account));
    const [tax, toll] = [linesOf('tax'), linesOf('toll')];
    const commission = Math.round(
      ((chargeMinor - tax - toll) * evidence.policies.commissionBasisPoints) / 10_000,
    );
    return share('tax_payable') === tax && share('platform_revenue') === commission
      ? []
      : [
          `ride ${rideId}: ${share('tax_payable')} of ${tax} tax, ${share('platform_revenue')} of ${commission} commission`,
        ];
  });
}

export const sumOf = (lines: readonly LedgerLine[]): number =>
  lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
