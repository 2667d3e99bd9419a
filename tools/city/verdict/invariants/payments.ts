import { isSettled, type Payment } from '../../../../domain/payment';
import type { PaymentFactData } from '../../../../domain/paymentFacts';
import { costMinor, excessMinor } from '../../../../domain/paymentPlan';
import { terminalRideStatuses, type Ride } from '../../../../domain/ride';
import { groupBy, repeats, type Evidence, type RecordedFact, type Violations } from '../evidence';

/** Promise 3: the provider took from each intent once, and from a rider what our facts say and no more. */
export function noRiderChargedTwice(evidence: Pick<Evidence, 'movements' | 'payments'>): Violations {
  const captures = evidence.movements.filter(({ kind }) => kind === 'capture');
  const twice = repeats(captures.map(({ intentId }) => intentId ?? 'none')).map(
    (id) => `intent ${id} was captured twice`,
  );
  const payments = new Map(evidence.payments.map((payment) => [payment.rideId, payment]));
  const tooMuch = [...groupBy(captures, ({ rideId }) => rideId ?? 'no ride')].flatMap(([rideId, ofRide]) => {
    const payment = payments.get(rideId);
    const owed = (payment?.capturedMinor ?? 0) + (payment?.tipMinor ?? 0);
    const taken = ofRide.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    return taken > owed ? [`ride ${rideId}: ${taken} was taken where ${owed} is booked`] : [];
  });
  return [...twice, ...tooMuch];
}

/** Promise 3: no hold outlives its ride, at the provider or with us. */
export function noOpenAuthorizationAfterEnd(
  evidence: Pick<Evidence, 'openAuthorizations' | 'rides' | 'payments'>,
): Violations {
  return [
    ...heldAfterEnd(evidence).map(
      ({ intentId, rideId }) => `intent ${intentId} of ride ${rideId} is still held`,
    ),
    ...unsettledAfterEnd(evidence).map((payment) => `payment ${payment.rideId} is still ${payment.status}`),
  ];
}

/** Holds at the provider whose ride has ended, or which belong to no ride that we know. */
export function heldAfterEnd(evidence: Pick<Evidence, 'openAuthorizations' | 'rides'>) {
  const live = liveRides(evidence.rides);
  return evidence.openAuthorizations.filter(({ rideId }) => rideId === null || !live.has(rideId));
}

/** Payments that still need something although their ride has ended. */
export function unsettledAfterEnd(evidence: Pick<Evidence, 'payments' | 'rides'>): Payment[] {
  const live = liveRides(evidence.rides);
  return evidence.payments.filter((payment) => !live.has(payment.rideId) && !isSettled(payment));
}

const liveRides = (rides: readonly Ride[]): Set<string> =>
  new Set(rides.filter(({ status }) => !terminalRideStatuses.includes(status)).map(({ rideId }) => rideId));

/** Promise 6: a ride fails for its payment only where the card was declined, never for what happened to a process. */
export function paymentFailsOnlyWhenDeclined(evidence: Pick<Evidence, 'rides' | 'payments'>): Violations {
  const payments = new Map(evidence.payments.map((payment) => [payment.rideId, payment.status]));
  return evidence.rides
    .filter(({ rideId, status }) => status === 'payment_failed' && payments.get(rideId) !== 'failed')
    .map(
      ({ rideId, endReason }) =>
        `ride ${rideId} failed for its payment, which was not declined: ${endReason}`,
    );
}

/**
 * Promise 3: what a ride costs is what was charged: taken from the card or owed, or settled in cash; and what an
 * operator adds, gives back or waives afterwards, or somebody captures beyond it, changes it by that.
 */
export function chargedEqualsOwed(evidence: Pick<Evidence, 'rides' | 'payments' | 'facts'>): Violations {
  const payments = new Map(evidence.payments.map((payment) => [payment.rideId, payment]));
  const byRide = groupBy(
    evidence.facts.filter(({ topic }) => topic === 'payments'),
    ({ key }) => key,
  );
  return evidence.rides.flatMap(({ rideId, chargeMinor, paymentMethod }) => {
    if (chargeMinor === null) return [];
    const facts = byRide.get(rideId) ?? [];
    const sumOf = (type: string): number =>
      facts.reduce(
        (sum, fact) => (fact.type === type ? sum + (fact.data as { amountMinor: number }).amountMinor : sum),
        0,
      );
    const payment = payments.get(rideId);
    const isCash = (payment?.method ?? paymentMethod).type === 'cash';
    const backMinor = sumOf('payment.refunded') - sumOf('payment.refund_failed') + sumOf('payment.waived');
    const excess = facts.reduce((sum, fact) => sum + excessOf(fact), 0);
    const costs = isCash ? chargeMinor : chargeMinor + excess + sumOf('payment.extra_charged') - backMinor;
    const charged = isCash ? sumOf('payment.cash_settled') : payment === undefined ? 0 : costMinor(payment);
    return charged === costs ? [] : [`ride ${rideId} costs ${costs} and ${charged} was charged`];
  });
}

const excessOf = ({ type, data }: RecordedFact): number =>
  type === 'payment.captured' ? excessMinor(data as PaymentFactData['payment.captured']) : 0;
