import type { Pool } from 'pg';
import { carsServing, type OfferHistory, type PresentRide, type RankedDriver } from '../../domain/dispatch';
import type { Ride } from '../../domain/ride';
import type { AcceptedOffer } from '../../domain/sagas';
import { withTransaction } from '../../platform/postgres';
import type { Queryable } from '../../platform/postgres';
import { lockRide } from './store';

export interface OfferRound {
  readonly rideId: string;
  readonly round: number;
  /** ISO 8601 in UTC. */
  readonly expiresAt: string;
  readonly batchSize: number;
}

/** How many of a driver's latest offers tell how the next will be answered. */
const HISTORY_OFFERS = 20;

/**
 * Whom this ride may be offered to: drivers in a car that serves it who neither declined it nor gave it back, hold no
 * offer and no next ride, and are on no ride, or under way with their rider.
 */
const MAY_BE_ASKED = `online and product = any($2) and drivers.driver_id <> all($3)
  and offer_id is null and next_ride_id is null
  and (drivers.ride_id is null
       or (select status from rides where rides.ride_id = drivers.ride_id) = 'in_progress')
  and not exists (select 1 from offers where ride_id = $4 and offers.driver_id = drivers.driver_id
                  and state = 'declined')`;

const mayBeAskedValues = (ride: Ride) => [carsServing(ride.product), ride.excludedDriverIds, ride.rideId];

/** A driver who may be asked, and the ride that they are under way with. */
export interface AskableDriver {
  readonly driverId: string;
  readonly history: OfferHistory;
  /** How many offers of the ride they have let run out. */
  readonly missedOfRide: number;
  readonly present: PresentRide | null;
}

/** Those of `driverIds` who may be asked right now, and how they answered their latest offers and those of the ride. */
export async function askableDrivers(
  db: Queryable,
  ride: Ride,
  driverIds: readonly string[],
): Promise<AskableDriver[]> {
  const { rows } = await db.query<AskableDriver>({
    name: 'drivers-askable',
    text: `select drivers.driver_id as "driverId", latest.history, rides.state as present,
             (select count(*) from offers where ride_id = $4 and offers.driver_id = drivers.driver_id
              and state = 'expired') as "missedOfRide"
           from drivers
           left join rides on rides.ride_id = drivers.ride_id
           cross join lateral (
             select jsonb_build_object(
                      'accepted', count(*) filter (where state = 'accepted'),
                      'missed', count(*) filter (where state in ('declined', 'expired'))) as history
             from (select state from offers where offers.driver_id = drivers.driver_id
                   order by created_at desc limit $5) as latest
           ) latest
           where drivers.driver_id = any($1) and ${MAY_BE_ASKED}`,
    values: [driverIds, ...mayBeAskedValues(ride), HISTORY_OFFERS],
  });
  return rows;
}

/**
 * Offers the ride to the first drivers among `ranked` who may still be asked and takes a lease on each.
 * The same round again changes nothing.
 * @returns how many offers the round has; 0 also where the ride is no longer searching
 */
export async function makeOffers(
  pool: Pool,
  round: OfferRound,
  ranked: readonly RankedDriver[],
): Promise<number> {
  return withTransaction(pool, async (tx) => {
    const ride = await lockRide(tx, round.rideId);
    if (ride?.status !== 'matching') return 0;
    const made = await tx.query<{ count: number }>(
      'select count(*) as count from offers where ride_id = $1 and round = $2',
      [round.rideId, round.round],
    );
    if (made.rows[0]!.count > 0) return made.rows[0]!.count;
    const { rowCount } = await tx.query({
      name: 'offers-make',
      text: `with ranked as (
               select * from unnest($1::text[], $5::integer[], $6::integer[])
                 with ordinality as ranked (driver_id, meters, seconds, place)
             ), free as (
               select driver_id, meters, seconds from drivers join ranked using (driver_id)
               where ${MAY_BE_ASKED}
               order by place limit $7
               for update of drivers skip locked
             ), made as (
               insert into offers (offer_id, ride_id, driver_id, round, state, expires_at,
                                   pickup_distance_meters, eta_seconds)
               select gen_random_uuid(), $4, driver_id, $8, 'offered', $9, meters, seconds from free
               returning offer_id, driver_id
             )
             update drivers set offer_id = made.offer_id from made where drivers.driver_id = made.driver_id`,
      values: [
        ranked.map(({ driverId }) => driverId),
        ...mayBeAskedValues(ride),
        ranked.map(({ pickupDistanceMeters }) => pickupDistanceMeters),
        ranked.map(({ etaSeconds }) => etaSeconds),
        round.batchSize,
        round.round,
        round.expiresAt,
      ],
    });
    return rowCount ?? 0;
  });
}

/**
 * Ends a round: the winner if there is one, whether or not its Update came; all that is still open expires and its
 * drivers are free. The same round again gives the same answer.
 */
export async function closeOffers(pool: Pool, rideId: string, round: number): Promise<AcceptedOffer | null> {
  return withTransaction(pool, async (tx) => {
    await lockRide(tx, rideId);
    await tx.query({
      name: 'offers-expire',
      text: `with over as (
               update offers set state = 'expired', answered_at = now()
               where ride_id = $1 and round = $2 and state = 'offered' returning offer_id
             )
             update drivers set offer_id = null from over where drivers.offer_id = over.offer_id`,
      values: [rideId, round],
    });
    const { rows } = await tx.query<AcceptedOffer>(
      `select offer_id as "offerId", driver_id as "driverId" from offers
       where ride_id = $1 and round = $2 and state = 'accepted'`,
      [rideId, round],
    );
    return rows[0] ?? null;
  });
}
