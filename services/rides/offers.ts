import type { Pool } from 'pg';
import { DomainError } from '../../domain/errors';
import type { Product } from '../../domain/fare';
import type { Ride } from '../../domain/ride';
import type { AcceptedOffer } from '../../domain/sagas';
import { isUniqueViolation, withTransaction } from '../../platform/postgres';
import type { Queryable } from '../../platform/postgres';
import { lockRide } from './store';

export interface OfferRound {
  readonly rideId: string;
  readonly round: number;
  /** ISO 8601 in UTC. */
  readonly expiresAt: string;
  readonly batchSize: number;
}

/**
 * Offers the ride to the nearest free drivers among `candidates` (nearest first) and takes a lease on each. The same
 * round again changes nothing. Drivers who declined this ride or gave it back are not asked again.
 * @returns how many offers the round has; 0 also where the ride is no longer searching
 */
export async function makeOffers(
  pool: Pool,
  round: OfferRound,
  candidates: readonly string[],
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
      text: `with free as (
               select driver_id from drivers
               where driver_id = any($1) and driver_id <> all($2) and online and product = any($3)
                 and offer_id is null and ride_id is null
                 and not exists (select 1 from offers where ride_id = $4 and offers.driver_id = drivers.driver_id
                                 and state = 'declined')
               order by array_position($1, driver_id) limit $5
               for update skip locked
             ), made as (
               insert into offers (offer_id, ride_id, driver_id, round, state, expires_at)
               select gen_random_uuid(), $4, driver_id, $6, 'offered', $7 from free
               returning offer_id, driver_id
             )
             update drivers set offer_id = made.offer_id from made where drivers.driver_id = made.driver_id`,
      values: [
        candidates,
        ride.excludedDriverIds,
        productsServing(ride.product),
        round.rideId,
        round.batchSize,
        round.round,
        round.expiresAt,
      ],
    });
    return rowCount ?? 0;
  });
}

/** A larger car serves whoever asked for a smaller one. */
const productsServing = (product: Product): Product[] => (product === 'xl' ? ['xl'] : ['standard', 'xl']);

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

/**
 * Accepts an offer by compare-and-set: of an accept, an expiry, a withdrawal and another driver's accept exactly one
 * wins. The same driver's accept again is the same answer.
 * @throws DomainError `offer_not_found` (also somebody else's), `offer_over`
 */
export async function acceptOffer(
  pool: Pool,
  { offerId, driverId, now }: { offerId: string; driverId: string; now: string },
): Promise<{ rideId: string }> {
  try {
    const { rows } = await pool.query<{ rideId: string }>({
      name: 'offer-accept',
      text: `update offers set state = 'accepted', answered_at = $3
             where offer_id = $1 and driver_id = $2 and (state = 'accepted' or (state = 'offered' and expires_at > $3))
             returning ride_id as "rideId"`,
      values: [offerId, driverId, now],
    });
    if (rows[0]) return rows[0];
  } catch (error) {
    if (!isUniqueViolation(error, undefined)) throw error;
    throw new DomainError('offer_over', 'Another driver was faster.');
  }
  throw await whyOver(pool, offerId, driverId);
}

/**
 * Declines an offer and frees the driver. The same decline again is the same answer.
 * @returns how many offers of its round are still open: with 0 the next batch can go out at once
 * @throws DomainError `offer_not_found` (also somebody else's), `offer_over`
 */
export async function declineOffer(
  pool: Pool,
  { offerId, driverId }: { offerId: string; driverId: string },
): Promise<{ rideId: string; round: number; openOffersLeft: number }> {
  return withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ rideId: string; round: number }>(
      `update offers set state = 'declined', answered_at = coalesce(answered_at, now())
       where offer_id = $1 and driver_id = $2 and state in ('offered', 'declined')
       returning ride_id as "rideId", round`,
      [offerId, driverId],
    );
    const declined = rows[0];
    if (!declined) throw await whyOver(tx, offerId, driverId);
    await tx.query('update drivers set offer_id = null where driver_id = $1 and offer_id = $2', [
      driverId,
      offerId,
    ]);
    const open = await tx.query<{ count: number }>(
      `select count(*) as count from offers where ride_id = $1 and round = $2 and state in ('offered', 'accepted')`,
      [declined.rideId, declined.round],
    );
    return { ...declined, openOffersLeft: open.rows[0]!.count };
  });
}

async function whyOver(db: Queryable, offerId: string, driverId: string): Promise<DomainError> {
  const { rows } = await db.query<{ state: string }>(
    'select state from offers where offer_id = $1 and driver_id = $2',
    [offerId, driverId],
  );
  if (!rows[0]) return new DomainError('offer_not_found', 'There is no such offer.');
  return new DomainError('offer_over', 'This offer is over.', {
    state: rows[0].state === 'offered' ? 'expired' : rows[0].state,
  });
}

/** An open offer, with the ride that it is for. */
export interface LiveOffer {
  readonly offerId: string;
  readonly driverId: string;
  readonly expiresAt: string;
  readonly ride: Ride;
}

/** The offers that are open for some drivers right now: what their streams show. */
export async function liveOffers(db: Queryable, driverIds: readonly string[]): Promise<LiveOffer[]> {
  const { rows } = await db.query<LiveOffer>({
    name: 'offers-live',
    text: `select offer_id as "offerId", offers.driver_id as "driverId", expires_at as "expiresAt", rides.state as ride
           from offers join rides using (ride_id)
           where offers.driver_id = any($1) and offers.state = 'offered'`,
    values: [driverIds],
  });
  return rows;
}
