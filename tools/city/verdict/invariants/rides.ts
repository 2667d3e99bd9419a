import { isDeepStrictEqual } from 'node:util';
import { foldPayment, type Payment } from '../../../../domain/payment';
import type { PaymentFact } from '../../../../domain/paymentFacts';
import { foldRide } from '../../../../domain/foldRide';
import { rideTransitions, terminalRideStatuses, type Ride, type RideFact } from '../../../../domain/ride';
import { factsOfRides, groupBy, type Evidence, type RecordedFact, type Violations } from '../evidence';

const terminalFacts = new Set<string>(
  Object.values(rideTransitions)
    .filter(({ to }) => to !== 'same' && terminalRideStatuses.includes(to))
    .map(({ fact }) => fact),
);

/** Promise 2: every ride ends, in exactly one terminal state, and nothing happens to it after that. */
export function oneTerminalState(evidence: Pick<Evidence, 'rides' | 'facts'>): Violations {
  const violations: Violations = [];
  const byRide = factsOfRides(evidence.facts);
  for (const ride of evidence.rides) {
    const types = (byRide.get(ride.rideId) ?? []).map(({ type }) => type);
    const ends = types.filter((type) => terminalFacts.has(type));
    if (ends.length !== 1)
      violations.push(`ride ${ride.rideId} is ${ride.status} with ends: ${ends.join(', ') || 'none'}`);
    else if (types.at(-1) !== ends[0])
      violations.push(`ride ${ride.rideId} goes on after ${ends[0]}: ${types.at(-1)}`);
  }
  return violations;
}

/** Promise 2: only transitions of the table, for rides and payments. */
export function legalTransitionsOnly(evidence: Pick<Evidence, 'facts'>): Violations {
  const violations: Violations = [];
  for (const [rideId, facts] of factsOfRides(evidence.facts)) {
    let ride: Ride | null = null;
    for (const fact of facts) {
      const status: Ride['status'] | 'nothing' = ride?.status ?? 'nothing';
      const legal = Object.values(rideTransitions).some(
        (to) => to.fact === fact.type && to.from.includes(status),
      );
      if (!legal) {
        violations.push(`ride ${rideId}: ${fact.type} while ${status}`);
        break;
      }
      ride = foldRide(ride, fact as unknown as RideFact);
    }
  }
  for (const folded of foldPayments(evidence.facts)) if (folded.illegal) violations.push(folded.illegal);
  return violations;
}

/** Promise 2 and DESIGN §3: folding the facts of a ride, and of a payment, gives exactly its row. */
export function foldingFactsGivesRow(evidence: Pick<Evidence, 'rides' | 'payments' | 'facts'>): Violations {
  const violations: Violations = [];
  const byRide = factsOfRides(evidence.facts);
  for (const row of evidence.rides) {
    const facts = (byRide.get(row.rideId) ?? []) as unknown as RideFact[];
    byRide.delete(row.rideId);
    const begins = facts[0]?.type === 'ride.requested' || facts[0]?.type === 'ride.scheduled';
    const folded = begins ? facts.reduce(foldRide, null) : null;
    if (!isDeepStrictEqual(plain(folded), plain(row)))
      violations.push(`ride ${row.rideId} is not what its facts say`);
  }
  for (const rideId of byRide.keys()) violations.push(`ride ${rideId} has facts and no row`);

  const payments = new Map(foldPayments(evidence.facts).map(({ rideId, payment }) => [rideId, payment]));
  for (const row of evidence.payments) {
    const folded = payments.get(row.rideId) ?? null;
    payments.delete(row.rideId);
    if (!isDeepStrictEqual(plain(folded), plain(row)))
      violations.push(`payment ${row.rideId} is not what its facts say`);
  }
  for (const rideId of payments.keys()) violations.push(`payment ${rideId} has facts and no row`);
  return violations;
}

/** As JSON has it: what a column of Postgres can hold. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function foldPayments(
  facts: readonly RecordedFact[],
): { rideId: string; payment: Payment | null; illegal: string | null }[] {
  const byRide = groupBy(
    facts.filter(({ type }) => type.startsWith('payment.')),
    ({ key }) => key,
  );
  return [...byRide].map(([rideId, ofRide]) => {
    let payment: Payment | null = null;
    for (const fact of ofRide) {
      try {
        payment = foldPayment(payment, fact as unknown as PaymentFact);
      } catch {
        const status = payment?.status ?? 'nothing';
        return { rideId, payment: null, illegal: `payment ${rideId}: ${fact.type} while ${status}` };
      }
    }
    return { rideId, payment, illegal: null };
  });
}
