import { DomainError } from '../../domain/errors';
import { canHaveCome, roadMeters, routeMeters } from '../../domain/eta';
import { distanceMeters, type Point } from '../../domain/geo';
import type { Ride } from '../../domain/ride';
import type { Queryable } from '../../platform/postgres';
import type { WhereIs } from './location';

/**
 * How far the driver is from the pickup, in whole meters: by the position that came with the request, unless they
 * cannot have come there from the last one known, or by that; null where the map does not answer, which must not hold
 * up a ride. `quotedSecondMs` is a second of driving.
 * @throws DomainError `position_unknown` where the driver has sent no position of late
 */
export async function pickupDistanceMeters(
  ride: Ride,
  whereIs: WhereIs,
  given: Point | undefined,
  quotedSecondMs: number,
): Promise<number | null> {
  // However old: who falls silent has more time to come, not any place to be.
  const maxAgeMs = given === undefined ? undefined : Infinity;
  const known = ride.driverId === null ? 'unknown' : await whereIs(ride.driverId, maxAgeMs);
  const isSeen = known !== null && known !== 'unknown';
  const isBelieved = !isSeen || !given || canHaveCome(known, given, known.ageMs / quotedSecondMs);
  const position = isBelieved ? (given ?? known) : known;
  if (position === null) throw new DomainError('position_unknown', 'Send your position first.');
  return position === 'unknown' ? null : Math.round(distanceMeters(position, ride.pickup));
}

/**
 * How much nearer to the pickup the driver has come since the offer was made, in whole meters on the road; null where
 * nobody can say.
 */
export async function approachMeters(db: Queryable, ride: Ride, whereIs: WhereIs): Promise<number | null> {
  if (ride.driverId === null) return null;
  const [position, atOffer] = await Promise.all([
    whereIs(ride.driverId),
    distanceAtOffer(db, ride.rideId, ride.driverId).catch(() => null),
  ]);
  if (position === null || position === 'unknown' || atOffer === null) return null;
  return Math.round(atOffer - roadMeters(position, ride.pickup));
}

/** How far the ride has come, in whole meters: the quoted way without what is left of it. Null where nobody can say. */
export async function drivenMeters(ride: Ride, whereIs: WhereIs): Promise<number | null> {
  const position = ride.driverId === null ? 'unknown' : await whereIs(ride.driverId);
  if (position === null || position === 'unknown') return null;
  const ahead = [position, ...ride.stops.slice(ride.stopsReached), ride.dropoff];
  const driven = ride.distanceMeters - routeMeters(ahead);
  return Math.round(Math.min(ride.distanceMeters, Math.max(0, driven)));
}

async function distanceAtOffer(db: Queryable, rideId: string, driverId: string): Promise<number | null> {
  const { rows } = await db.query<{ meters: number | null }>({
    name: 'offer-distance',
    text: `select pickup_distance_meters as meters from offers
           where ride_id = $1 and driver_id = $2 and state = 'accepted' order by round desc limit 1`,
    values: [rideId, driverId],
  });
  return rows[0]?.meters ?? null;
}
