import { approachLegs } from './approach';
import { driveSeconds } from './eta';
import type { Product, Vehicle } from './fare';
import type { Point } from './geo';
import type { Policies } from './policies';
import type { Ride } from './ride';

/** A larger car serves whoever asked for a smaller one, and parcels go in either. */
export const carsServing = (product: Product): readonly Vehicle[] =>
  product === 'xl' ? ['xl'] : ['standard', 'xl'];

/** How a driver answered lately: offers taken, and offers declined or left to run out. */
export interface OfferHistory {
  readonly accepted: number;
  readonly missed: number;
}

/** A driver who could be asked. */
export interface Candidate {
  readonly driverId: string;
  /** The way to the pickup, on the road in meters: leg after leg. */
  readonly legsMeters: readonly number[];
  readonly history: OfferHistory;
  /** How many offers of this very ride they have let run out. */
  readonly missedOfRide: number;
}

/** What is left of a ride under way. */
export type PresentRide = Pick<Ride, 'stops' | 'stopsReached' | 'dropoff'>;

/**
 * A driver's way to a pickup who is on a ride (of others it is `approachLegs`): what is left of that in this hour (0 to 23), then on from its dropoff.
 * They have driven on since they were seen, `ageSeconds` ago. Null where more than `withinSeconds` is left: nobody
 * waits for that.
 */
export function wayOfFinishing(
  {
    position,
    ageSeconds,
    present,
    pickup,
  }: { position: Point; ageSeconds: number; present: PresentRide; pickup: Point },
  hour: number,
  withinSeconds: number,
): number[] | null {
  const ahead = [position, ...present.stops.slice(present.stopsReached), present.dropoff];
  const seen = ahead.slice(1).flatMap((point, i) => approachLegs(ahead[i]!, point));
  const secondsSeen = secondsFor(seen, hour);
  const secondsLeft = Math.max(0, secondsSeen - ageSeconds);
  if (secondsLeft > withinSeconds) return null;
  const left = seen.map((meters) => (secondsSeen === 0 ? 0 : meters * (secondsLeft / secondsSeen)));
  return [...left, ...approachLegs(present.dropoff, pickup)];
}

/** A driver to be asked, and what an offer says of the way to the pickup. */
export interface RankedDriver {
  readonly driverId: string;
  /** On the road, in whole meters. */
  readonly pickupDistanceMeters: number;
  /** Whole seconds until the driver can be at the pickup. */
  readonly etaSeconds: number;
}

/**
 * How probable it is that a driver takes an offer: the share of those taken, as if four of five more had been, so that
 * a new driver is neither the best nor the worst and one bad day weighs little.
 */
export const acceptance = ({ accepted, missed }: OfferHistory): number =>
  (accepted + 4) / (accepted + missed + 5);

/**
 * The candidates in the order in which they are asked. Nobody is asked again before all others were: who has let fewer
 * offers of this ride run out comes first. Among these, who is expected at the pickup first: that is the drive in this
 * hour (0 to 23), and what an offer costs that nobody takes, `lostOfferSeconds` until the next is asked, by how
 * probable that is. Equals are ordered by id.
 */
export function rankDrivers(
  candidates: readonly Candidate[],
  hour: number,
  lostOfferSeconds: number,
): RankedDriver[] {
  const ranked = candidates.map(({ driverId, legsMeters, history, missedOfRide }) => {
    const etaSeconds = secondsFor(legsMeters, hour);
    return {
      driver: {
        driverId,
        pickupDistanceMeters: Math.round(legsMeters.reduce((sum, leg) => sum + leg, 0)),
        etaSeconds: Math.round(etaSeconds),
      },
      missedOfRide,
      expectedSeconds: etaSeconds + (1 - acceptance(history)) * lostOfferSeconds,
    };
  });
  return ranked
    .sort(
      (a, b) =>
        a.missedOfRide - b.missedOfRide ||
        a.expectedSeconds - b.expectedSeconds ||
        (a.driver.driverId < b.driver.driverId ? -1 : 1),
    )
    .map(({ driver }) => driver);
}

/**
 * How far a ride's search looks, in meters of the straight line: wider with every one (0 is the first), up to the most.
 */
export function radiusOfSearch(
  search: number,
  policies: Pick<Policies, 'searchRadiusMeters' | 'searchRadiusGrowth' | 'maxSearchRadiusMeters'>,
): number {
  const { searchRadiusMeters, searchRadiusGrowth, maxSearchRadiusMeters } = policies;
  return Math.min(maxSearchRadiusMeters, searchRadiusMeters * searchRadiusGrowth ** search);
}

/**
 * How long a ride may still look for a driver at `nowMs`, in milliseconds; 0 or less where its deadline has passed. The
 * time that it waited for a reserved driver, `reservedMs` in all, does not count.
 */
export const matchingLeftMs = (
  { matchingSince, reservedMs, nowMs }: { matchingSince: string; reservedMs: number; nowMs: number },
  { matchingDeadlineMs }: Pick<Policies, 'matchingDeadlineMs'>,
): number => Date.parse(matchingSince) + matchingDeadlineMs + reservedMs - nowMs;

/** How long a ride may still wait for the driver whom it has reserved, in milliseconds; 0 or less where it is over. */
export const reservationLeftMs = (
  { reservedAtMs, nowMs }: { reservedAtMs: number; nowMs: number },
  { reservationMs }: Pick<Policies, 'reservationMs'>,
): number => reservedAtMs + reservationMs - nowMs;

const secondsFor = (legsMeters: readonly number[], hour: number): number =>
  legsMeters.reduce((sum, meters) => sum + driveSeconds(meters, hour), 0);
