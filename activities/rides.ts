import type { Pool } from 'pg';
import { rankDrivers } from '../domain/dispatch';
import { newYorkHour } from '../domain/eta';
import { foldRide } from '../domain/foldRide';
import { rideTransitions } from '../domain/ride';
import type { Ride, RideCommandType, RideFact } from '../domain/ride';
import type { AcceptedOffer, Recorded, Step } from '../domain/sagas';
import { moveLeases } from '../services/rides/leases';
import type { FindNearby } from '../services/rides/location';
import { closeOffers, freeDrivers, makeOffers } from '../services/rides/offerRounds';
import type { OfferRound } from '../services/rides/offerRounds';
import { getRide, lockRide, putRide } from '../services/rides/store';
import { createRecordTransition } from './outbox';

export interface RideActivityOptions {
  readonly pool: Pool;
  readonly findNearby: FindNearby;
  readonly topicPrefix?: string;
  /** Milliseconds since 1970; the machine's clock unless told otherwise. */
  readonly now?: () => number | Promise<number>;
}

export interface RideActivities {
  /** One activity a transition, named after its command, so that a replay sees which one it was. */
  readonly transitions: Record<RideCommandType, (step: Step<RideFact>) => Promise<Recorded<Ride>>>;
  readonly dispatch: {
    /** Makes the offers of a round, each open for `ttlMs` from then; the answer is how many. Safe to repeat. */
    offerRide(
      round: Omit<OfferRound, 'expiresAt'> & { radiusMeters: number; ttlMs: number },
    ): Promise<number>;
    /** Ends a round and tells its winner, if there is one. Safe to repeat. */
    closeOffers(round: { rideId: string; round: number }): Promise<AcceptedOffer | null>;
  };
}

/** How many drivers nearby are looked at: most of a busy city's are on a ride. */
const driversLookedAt = (batchSize: number): number => Math.min(500, Math.max(50, 2 * batchSize));

/** Everything that a ride's workflow does outside of itself. */
export function createRideActivities(options: RideActivityOptions): RideActivities {
  const { pool, findNearby, topicPrefix, now = Date.now } = options;
  const record = createRecordTransition<Ride, RideFact>({
    pool,
    source: '/hailway/rides',
    ...(topicPrefix === undefined ? {} : { topicPrefix }),
    aggregate: {
      lock: lockRide,
      fold: foldRide,
      save: async (tx, { before, after, fact }) => {
        await putRide(tx, after);
        await moveLeases(tx, before, after, fact);
      },
    },
  });
  const commands = Object.keys(rideTransitions) as RideCommandType[];
  return {
    transitions: Object.fromEntries(
      commands.map((command) => [command, record]),
    ) as RideActivities['transitions'],
    dispatch: {
      async offerRide({ radiusMeters, ttlMs, ...round }) {
        const ride = await getRide(pool, round.rideId);
        if (ride?.status !== 'matching') return 0;
        const limit = driversLookedAt(round.batchSize);
        const nearby = await findNearby(ride.pickup, { radiusMeters, limit });
        if (nearby.length === 0) return 0;
        const straightMeters = new Map(nearby.map((driver) => [driver.driverId, driver.distanceMeters]));
        const free = await freeDrivers(pool, ride, [...straightMeters.keys()]);
        if (free.length === 0) return 0;
        const atMs = await now();
        const ranked = rankDrivers(
          free.map(({ driverId, ...history }) => ({
            driverId,
            straightMeters: straightMeters.get(driverId)!,
            history,
          })),
          newYorkHour(atMs),
        );
        // From now, not from when the workflow asked: a driver has the whole time, however long the search took.
        const expiresAt = new Date(atMs + ttlMs).toISOString();
        return makeOffers(pool, { ...round, expiresAt }, ranked);
      },
      closeOffers: ({ rideId, round }) => closeOffers(pool, rideId, round),
    },
  };
}
