import type { Pool } from 'pg';
import { DomainError } from '../../domain/errors';
import type { Ride } from '../../domain/ride';
import { isUniqueViolation, withTransaction } from '../../platform/postgres';
import type { Queryable, Tx } from '../../platform/postgres';

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

/** An offer that its driver leaves to others. */
export interface OfferGone {
  readonly rideId: string;
  readonly round: number;
  /** How many offers of its round are still open: with 0 the next batch can go out at once. */
  readonly openOffersLeft: number;
}

/**
 * Declines an offer and frees the driver. The same decline again is the same answer.
 * @throws DomainError `offer_not_found` (also somebody else's), `offer_over`
 */
export async function declineOffer(
  pool: Pool,
  { offerId, driverId }: { offerId: string; driverId: string },
): Promise<OfferGone> {
  return withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<OfferOfRound>(
      `update offers set state = 'declined', answered_at = coalesce(answered_at, now())
       where offer_id = $1 and driver_id = $2 and state in ('offered', 'declined')
       returning offer_id as "offerId", ride_id as "rideId", round`,
      [offerId, driverId],
    );
    const declined = rows[0];
    if (!declined) throw await whyOver(tx, offerId, driverId);
    return freed(tx, declined);
  });
}

/** The offer that a driver holds the lease of, its row locked until the transaction ends; null where there is none. */
export async function lockLeasedOffer(
  tx: Tx,
  driverId: string,
): Promise<{ offerId: string; rideId: string; state: string } | null> {
  const { rows } = await tx.query<{ offerId: string; rideId: string; state: string }>(
    `select offer_id as "offerId", ride_id as "rideId", state from offers
     where offer_id = (select offer_id from drivers where driver_id = $1) for update`,
    [driverId],
  );
  return rows[0] ?? null;
}

/** Withdraws an open offer, locked before, and frees its driver. */
export async function withdrawOffer(tx: Tx, offerId: string): Promise<OfferGone> {
  const { rows } = await tx.query<OfferOfRound>(
    `update offers set state = 'withdrawn', answered_at = now() where offer_id = $1 and state = 'offered'
     returning offer_id as "offerId", ride_id as "rideId", round`,
    [offerId],
  );
  if (!rows[0]) throw new Error(`impossible: offer ${offerId} was locked and is not open`);
  return freed(tx, rows[0]);
}

type OfferOfRound = { readonly offerId: string; readonly rideId: string; readonly round: number };

/** Takes the lease of an offer that is over from its driver. */
async function freed(tx: Tx, { offerId, rideId, round }: OfferOfRound): Promise<OfferGone> {
  await tx.query('update drivers set offer_id = null where offer_id = $1', [offerId]);
  const open = await tx.query<{ count: number }>(
    `select count(*) as count from offers where ride_id = $1 and round = $2 and state in ('offered', 'accepted')`,
    [rideId, round],
  );
  return { rideId, round, openOffersLeft: open.rows[0]!.count };
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
  /** The way to the pickup when the offer was made: on the road; null in an offer of an older version. */
  readonly pickupDistanceMeters: number | null;
  readonly etaSeconds: number | null;
  readonly ride: Ride;
}

/** The offers that are open for some drivers right now: what their streams show. */
export async function liveOffers(db: Queryable, driverIds: readonly string[]): Promise<LiveOffer[]> {
  const { rows } = await db.query<LiveOffer>({
    name: 'offers-live',
    text: `select offer_id as "offerId", offers.driver_id as "driverId", expires_at as "expiresAt",
                  pickup_distance_meters as "pickupDistanceMeters", eta_seconds as "etaSeconds", rides.state as ride
           from offers join rides using (ride_id)
           where offers.driver_id = any($1) and offers.state = 'offered'`,
    values: [driverIds],
  });
  return rows;
}
