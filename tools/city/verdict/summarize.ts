import type { RideStatus } from '../../../domain/ride';
import { personas } from '../input/deck';
import type { RidePlan } from '../input/plan';
import type { Evidence } from './evidence';
import { lostFacts, outOfOrder } from './invariants/facts';
import { ledgerEqualsProvider, sumOf } from './invariants/ledger';
import { heldAfterEnd, unsettledAfterEnd } from './invariants/payments';
import { groupBy } from './evidence';
import type { Judgement } from './judge';
import type { Summary } from './summary';
import { waysSeen } from './ways';

/** The summary of a run. Its rides are those that this run's city requested; all else is everything there is. */
export function summarize(
  evidence: Evidence,
  judgement: Judgement,
  run: { readonly speed: number; readonly seconds: number },
): Summary {
  const ours = new Set(evidence.accepted.map(({ rideId }) => rideId));
  const count = (status: RideStatus): number =>
    evidence.rides.filter((ride) => ours.has(ride.rideId) && ride.status === status).length;
  const lost = lostFacts(evidence).length;
  return {
    rides: {
      requested: ours.size,
      completed: count('completed'),
      cancelled: count('cancelled'),
      noDriver: count('no_driver'),
      paymentFailed: count('payment_failed'),
    },
    ways: waysSeen(evidence),
    payments: {
      captured: capturedByCurrency(evidence),
      openAuthorizations: heldAfterEnd(evidence).length,
      unresolved: unsettledAfterEnd(evidence).length,
    },
    ledger: {
      transactions: new Set(evidence.ledger.map(({ transactionId }) => transactionId)).size,
      sumMinor: [...groupBy(evidence.ledger, ({ currency }) => currency).values()].reduce(
        (sum, lines) => sum + Math.abs(sumOf(lines)),
        0,
      ),
      matchesProvider: ledgerEqualsProvider(evidence).length === 0,
    },
    facts: {
      recorded: evidence.facts.length,
      published: evidence.facts.length - lost,
      lost,
      outOfOrder: outOfOrder(evidence).length,
    },
    consumers: evidence.consumers,
    invariants: { checked: judgement.checked, violated: judgement.violated },
    speed: run.speed,
    seconds: Math.round(run.seconds * 10) / 10,
  };
}

/** What the provider took for fares, fees and tips, before refunds. */
function capturedByCurrency({ movements }: Pick<Evidence, 'movements'>): Record<string, number> {
  const captured: Record<string, number> = { USD: 0 };
  for (const { kind, currency, amountMinor } of movements) {
    if (kind === 'capture') captured[currency] = (captured[currency] ?? 0) + amountMinor;
  }
  return captured;
}

/** At least this share of the rides completes, and is paid by card or in cash. */
const COMPLETED_SHARE = 0.6;

/**
 * The rule for exit 0, as what speaks against it: too few rides completed and paid, a terminal state that was dealt
 * and never seen, a promise that was not kept.
 */
export function objections(
  evidence: Pick<Evidence, 'accepted' | 'rides' | 'payments'>,
  judgement: Judgement,
  plans: readonly Pick<RidePlan, 'persona'>[],
): string[] {
  const ours = new Set(evidence.accepted.map(({ rideId }) => rideId));
  const rides = evidence.rides.filter(({ rideId }) => ours.has(rideId));
  const paid = new Set(
    evidence.payments
      .filter(({ status }) => ['captured', 'cash_settled', 'partially_refunded', 'refunded'].includes(status))
      .map(({ rideId }) => rideId),
  );
  const done = rides.filter(({ rideId, status }) => status === 'completed' && paid.has(rideId)).length;
  const against: string[] = [];
  if (ours.size < plans.length) against.push(`${ours.size} of ${plans.length} rides were accepted`);
  if (done < COMPLETED_SHARE * plans.length) {
    against.push(
      `${done} of ${plans.length} rides were completed and paid, less than ${COMPLETED_SHARE * 100} %`,
    );
  }
  const seen = new Set<string>(rides.map(({ status }) => status));
  for (const state of new Set(plans.map(({ persona }) => personas[persona].ends))) {
    if (!seen.has(state)) against.push(`no ride ended as ${state}`);
  }
  return [...against, ...judgement.remarks];
}
