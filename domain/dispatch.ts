import { driveSeconds, ROAD_FACTOR } from './eta';
import type { Product, Vehicle } from './fare';
import type { Policies } from './policies';

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
  /** From the driver to the pickup, in meters of the straight line. */
  readonly straightMeters: number;
  readonly history: OfferHistory;
}

/** A driver to be asked, and what an offer says of the way to the pickup. */
export interface RankedDriver {
  readonly driverId: string;
  /** On the road, in whole meters. */
  readonly pickupDistanceMeters: number;
  /** Whole seconds until the driver can be at the pickup. */
  readonly etaSeconds: number;
}

/** What an offer costs that nobody takes: the rider waits for its time to live, 20 s, before the next is asked. */
const LOST_OFFER_SECONDS = 20;

/**
 * How probable it is that a driver takes an offer: the share of those taken, as if four of five more had been, so that
 * a new driver is neither the best nor the worst and one bad day weighs little.
 */
export const acceptance = ({ accepted, missed }: OfferHistory): number =>
  (accepted + 4) / (accepted + missed + 5);

/**
 * The candidates in the order in which they are asked: who is expected at the pickup first. That is the drive in this
 * hour (0 to 23), and an offer's lost time by how probable it is to be lost. Equals are ordered by id.
 */
export function rankDrivers(candidates: readonly Candidate[], hour: number): RankedDriver[] {
  const ranked = candidates.map(({ driverId, straightMeters, history }) => {
    const meters = straightMeters * ROAD_FACTOR;
    const etaSeconds = driveSeconds(meters, hour);
    return {
      driver: {
        driverId,
        pickupDistanceMeters: Math.round(meters),
        etaSeconds: Math.round(etaSeconds),
      },
      expectedSeconds: etaSeconds + (1 - acceptance(history)) * LOST_OFFER_SECONDS,
    };
  });
  return ranked
    .sort((a, b) => a.expectedSeconds - b.expectedSeconds || (a.driver.driverId < b.driver.driverId ? -1 : 1))
    .map(({ driver }) => driver);
}

/** How far a ride's search looks, in meters of the straight line: wider with every one (0 is the first), up to the most. */
export function radiusOfSearch(
  search: number,
  policies: Pick<Policies, 'searchRadiusMeters' | 'searchRadiusGrowth' | 'maxSearchRadiusMeters'>,
): number {
  const { searchRadiusMeters, searchRadiusGrowth, maxSearchRadiusMeters } = policies;
  return Math.min(maxSearchRadiusMeters, searchRadiusMeters * searchRadiusGrowth ** search);
}
