import { groupBy, type Evidence, type Violations } from '../evidence';

/** People's phones say where they are every two seconds or so: a shorter ride may be over before they do. */
const LEAST_RIDE_MS = 5_000;

/** Where the driver of a ride went is kept, from this run's rides on. */
export function everyRideHasItsWay(evidence: Pick<Evidence, 'accepted' | 'facts' | 'ways'>): Violations {
  const kept = new Set(evidence.ways);
  const ours = new Set(evidence.accepted.map(({ rideId }) => rideId));
  const assigned = new Map<string, number>();
  return evidence.facts.flatMap(({ type, key: rideId, at }) => {
    if (type === 'ride.driver_assigned') assigned.set(rideId, Date.parse(at));
    if (type !== 'ride.completed' || !ours.has(rideId) || kept.has(rideId)) return [];
    const lastedMs = Date.parse(at) - (assigned.get(rideId) ?? 0);
    return lastedMs < LEAST_RIDE_MS ? [] : [`of ride ${rideId} no way is kept`];
  });
}

/** Who enters a zone was not in it, and who leaves it was. */
export function zonesAreEnteredAndLeftInTurn(evidence: Pick<Evidence, 'facts'>): Violations {
  const crossings = evidence.facts.filter(({ type }) => type === 'zone.entered' || type === 'zone.left');
  const byZone = groupBy(crossings, ({ key, data }) => `${key} ${(data as { zoneId: string }).zoneId}`);
  return [...byZone.values()].flatMap((ofZone) =>
    ofZone.flatMap(({ id, type }, n) =>
      type === (n % 2 === 0 ? 'zone.entered' : 'zone.left') ? [] : [`${id} is said out of turn`],
    ),
  );
}
