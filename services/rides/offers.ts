import type { Pool } from 'pg';
import { DomainError } from '../../domain/errors';
import type { Ride } from '../../domain/ride';
import { isUniqueViolation, withTransaction } from '../../platform/postgres';
import type { Queryable } from '../../platform/postgres';

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
