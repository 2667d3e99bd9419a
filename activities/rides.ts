import { getClient } from '@temporalio/activity';
import { latLngToCell } from 'h3-js';
import type { Pool } from 'pg';
import { approachLegs } from '../domain/approach';
import { rankDrivers, wayOfFinishing } from '../domain/dispatch';
import { newYorkHour } from '../domain/eta';
import { foldRide } from '../domain/foldRide';
import { CELL_RESOLUTION, type Point } from '../domain/geo';
import { rideTransitions } from '../domain/ride';
import type { Ride, RideCommandType, RideFact } from '../domain/ride';
import type { AcceptedOffer, Recorded, RideStart, Step } from '../domain/sagas';
import type { Vault } from '../platform/personal';
import { driverLease, moveLeases } from '../services/rides/leases';
import type { FindNearby } from '../services/rides/location';
import { askableDrivers, closeOffers, makeOffers } from '../services/rides/offerRounds';
import type { OfferRound } from '../services/rides/offerRounds';
import { startReleasedRide } from '../services/rides/startRide';
import { getRide, lockRide, putRide } from '../services/rides/store';
import { createRecordTransition } from './outbox';

export interface RideActivityOptions {
  readonly pool: Pool;
  /** Seals what is personal in facts. */
  readonly vault: Vault;
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
      round: Omit<OfferRound, 'expiresAt'> & {
        radiusMeters: number;
        ttlMs: number;
        /** Drivers are asked too who are under way for no more than this. */
        nextRideWithinSeconds: number;
        /** One second of a drive on the policies' clock. */
        quotedSecondMs: number;
      },
    ): Promise<number>;
    /** Ends a round and tells its winner, if there is one. Safe to repeat. */
    closeOffers(round: { rideId: string; round: number }): Promise<AcceptedOffer | null>;
  };
  readonly lifecycle: {
    /** Starts the workflow of a ride whose pickup has come near. Safe to repeat. */
    startRide(start: RideStart): Promise<void>;
    /** The ride as committed, or null where there is none. */
    readRide(rideId: string): Promise<Ride | null>;
  };
}

/** Whose lease the ride wants to know of after this fact: a driver who is off the ride may have a next one. */
function driverFreedOrReserved(fact: RideFact): string | null {
  switch (fact.type) {
    case 'ride.driver_reserved':
    case 'ride.driver_unassigned':
    case 'ride.completed':
    case 'ride.cancelled':
      return fact.data.driverId;
    default:
      return null;
  }
}

const cellOf = ({ lat, lng }: Point): string => latLngToCell(lat, lng, CELL_RESOLUTION);

/** Whoever counts rides by where they begin and end needs nobody's places, and goes on counting when these are erased. */
function withCells(fact: RideFact): RideFact {
  switch (fact.type) {
    case 'ride.requested':
    case 'ride.scheduled':
    case 'ride.rescheduled': {
      const { pickup, dropoff } = fact.data;
      return {
        ...fact,
        data: { ...fact.data, pickupCell: cellOf(pickup), dropoffCell: cellOf(dropoff) },
      };
    }
    case 'ride.route_changed':
      return { ...fact, data: { ...fact.data, dropoffCell: cellOf(fact.data.dropoff) } };
    default:
      return fact;
  }
}

/** How many drivers nearby are looked at: most of a busy city's are on a ride. */
const driversLookedAt = (batchSize: number): number => Math.min(500, Math.max(50, 2 * batchSize));

/** Everything that a ride's workflow does outside of itself. */
export function createRideActivities(options: RideActivityOptions): RideActivities {
  const { pool, vault, findNearby, topicPrefix, now = Date.now } = options;
  const record = createRecordTransition<Ride, RideFact>({
    pool,
    vault,
    subjects: ({ riderId }) => ({ riderId }),
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
  const recordWithLease = async (step: Step<RideFact>): Promise<Recorded<Ride>> => {
    const recorded = await record({ ...step, fact: withCells(step.fact) });
    const driverId = driverFreedOrReserved(step.fact);
    return driverId === null ? recorded : { ...recorded, lease: await driverLease(pool, driverId) };
  };
  const commands = Object.keys(rideTransitions) as RideCommandType[];
  return {
    transitions: Object.fromEntries(
      commands.map((command) => [command, recordWithLease]),
    ) as RideActivities['transitions'],
    dispatch: {
      async offerRide({ radiusMeters, ttlMs, nextRideWithinSeconds, quotedSecondMs, ...round }) {
        const ride = await getRide(pool, round.rideId);
        if (ride?.status !== 'matching') return 0;
        const limit = driversLookedAt(round.batchSize);
        const nearby = await findNearby(ride.pickup, { product: ride.product, radiusMeters, limit });
        if (nearby.length === 0) return 0;
        const places = new Map(nearby.map((driver) => [driver.driverId, driver]));
        const askable = await askableDrivers(pool, ride, [...places.keys()]);
        const atMs = await now();
        const hour = newYorkHour(atMs);
        const candidates = askable.flatMap(({ present, ...driver }) => {
          const { ageMs, ...position } = places.get(driver.driverId)!;
          const ageSeconds = ageMs / quotedSecondMs;
          const legsMeters =
            present === null
              ? approachLegs(position, ride.pickup)
              : wayOfFinishing(
                  { position, ageSeconds, present, pickup: ride.pickup },
                  hour,
                  nextRideWithinSeconds,
                );
          return legsMeters === null ? [] : [{ ...driver, legsMeters }];
        });
        if (candidates.length === 0) return 0;
        const ranked = rankDrivers(candidates, hour, ttlMs / quotedSecondMs);
        // From now, not from when the workflow asked: a driver has the whole time, however long the search took.
        const expiresAt = new Date(atMs + ttlMs).toISOString();
        return makeOffers(pool, { ...round, expiresAt }, ranked);
      },
      closeOffers: ({ rideId, round }) => closeOffers(pool, rideId, round),
    },
    lifecycle: {
      startRide: (start) => startReleasedRide(pool, getClient(), start),
      readRide: (rideId) => getRide(pool, rideId),
    },
  };
}
