import { earlyFareMinor, waitingMinor } from '../../../../domain/charge';
import { foldRide } from '../../../../domain/foldRide';
import type { Ride, RideFact } from '../../../../domain/ride';
import { factsOfRides, type Evidence, type Violations } from '../evidence';

/**
 * DESIGN §1, promise 3 and §3: what a completed ride of this run costs is what its rider was quoted, for where it went
 * in the end; and what the driver's waiting costs by the rule. Who got out early pays for what was driven; a fare that
 * an operator has set is the fare.
 */
export function chargedEqualsQuoted(
  evidence: Pick<Evidence, 'accepted' | 'quotes' | 'facts' | 'policies'>,
): Violations {
  const quoted = new Map(evidence.quotes.map(({ quoteId, totalMinor }) => [quoteId, totalMinor]));
  const byRide = factsOfRides(evidence.facts);
  return evidence.accepted.flatMap(({ rideId }) => {
    const facts = (byRide.get(rideId) ?? []) as unknown as RideFact[];
    const end = facts.at(-1);
    if (end?.type !== 'ride.completed') return [];
    const before = facts.slice(0, -1).reduce(foldRide, null as Ride | null)!;
    const quoteId = lastQuoteOf(facts);
    const fareMinor = lastAdjustedFareOf(facts) ?? quoted.get(quoteId);
    if (fareMinor === undefined)
      return [`ride ${rideId} goes by quote ${quoteId}, which its rider never saw`];
    const drivenMeters = end.data.ended?.drivenMeters;
    const drivenMinor =
      drivenMeters === undefined
        ? fareMinor
        : earlyFareMinor(withFare(before, fareMinor), end.at, drivenMeters, evidence.policies);
    const waited = waitingMinor(before.arrivedAt ?? end.at, before.startedAt ?? end.at, evidence.policies);
    const { chargeMinor } = end.data;
    return chargeMinor === drivenMinor + waited
      ? []
      : [`ride ${rideId} costs ${chargeMinor}, not ${drivenMinor} by its quote and ${waited} for waiting`];
  });
}

/** Another way of a ride is priced at the surge that the ride was booked with, whatever it is by then. */
export function changesKeepSurge({ accepted, facts }: Pick<Evidence, 'accepted' | 'facts'>): Violations {
  const quotes = facts.filter(({ type }) => type === 'quote.issued');
  const surges = new Map(quotes.map(({ key, data }) => [key, (data as { surge: number }).surge]));
  const byRide = factsOfRides(facts);
  return accepted.flatMap(({ rideId }) => {
    const ofRide = (byRide.get(rideId) ?? []) as unknown as RideFact[];
    const booked = surges.get(lastQuoteOf(ofRide.filter(({ type }) => type !== 'ride.route_changed')));
    return ofRide.flatMap((fact) => {
      const surge = fact.type === 'ride.route_changed' ? surges.get(fact.data.changeId) : booked;
      return surge === booked ? [] : [`ride ${rideId} was booked at ${booked} and changed at ${surge}`];
    });
  });
}

/** The quote that the ride went by in the end: a change of the route has its quote's id. */
function lastQuoteOf(facts: readonly RideFact[]): string {
  return facts.reduce((quoteId, fact) => {
    if (fact.type === 'ride.route_changed') return fact.data.changeId;
    const isAsked = ['ride.requested', 'ride.scheduled', 'ride.rescheduled'].includes(fact.type);
    return isAsked ? (fact.data as { quoteId: string }).quoteId : quoteId;
  }, 'none');
}

/** What an operator set after the last change of the route, in minor units. */
function lastAdjustedFareOf(facts: readonly RideFact[]): number | undefined {
  return facts.reduce<number | undefined>((totalMinor, fact) => {
    if (fact.type === 'ride.route_changed') return undefined;
    return fact.type === 'ride.fare_adjusted' ? fact.data.fare.totalMinor : totalMinor;
  }, undefined);
}

const withFare = (ride: Ride, totalMinor: number): Ride => ({ ...ride, fare: { ...ride.fare, totalMinor } });
