import { DomainError } from '../../domain/errors';
import { drivingStatuses } from '../../domain/ride';
import type { Ride, RideFact } from '../../domain/ride';
import type { Tx } from '../../platform/postgres';

/**
 * Moves the drivers' leases with the ride, in the transaction that moves the ride: the winner's offer becomes the
 * ride, every other live offer of a ride that is no longer searching is withdrawn, and whoever is off the ride is free.
 * @throws DomainError `offer_over` where the offer was not won, `driver_busy` where its lease is gone
 */
export async function moveLeases(tx: Tx, before: Ride | null, after: Ride, fact: RideFact): Promise<void> {
  const driverBefore = before !== null && isDriving(before) ? before.driverId : null;
  if (driverBefore !== null && !(isDriving(after) && after.driverId === driverBefore)) {
    await tx.query('update drivers set ride_id = null where driver_id = $1 and ride_id = $2', [
      driverBefore,
      after.rideId,
    ]);
  }
  if (fact.type === 'ride.driver_assigned') await takeRide(tx, after.rideId, fact.data);
  if (before?.status === 'matching' && after.status !== 'matching') await withdrawOffers(tx, after.rideId);
}

async function takeRide(tx: Tx, rideId: string, won: { driverId: string; offerId: string }): Promise<void> {
  const offer = await tx.query(
    `select 1 from offers where offer_id = $1 and ride_id = $2 and driver_id = $3 and state = 'accepted' for update`,
    [won.offerId, rideId, won.driverId],
  );
  if (offer.rowCount !== 1) throw new DomainError('offer_over', 'This offer was not won by this driver.');
  const lease = await tx.query(
    `update drivers set offer_id = null, ride_id = $3
     where driver_id = $1 and offer_id = $2 and ride_id is null`,
    [won.driverId, won.offerId, rideId],
  );
  if (lease.rowCount !== 1) throw new DomainError('driver_busy', 'The driver is on another ride.');
}

/** The winner's lease has become the ride before this: only leases of offers that lost are still there to be freed. */
async function withdrawOffers(tx: Tx, rideId: string): Promise<void> {
  await tx.query(
    `with live as (
       select offer_id from offers where ride_id = $1 and state in ('offered', 'accepted') order by offer_id for update
     ), freed as (
       update drivers set offer_id = null from live where drivers.offer_id = live.offer_id returning live.offer_id
     )
     update offers set state = 'withdrawn', answered_at = now() from freed where offers.offer_id = freed.offer_id`,
    [rideId],
  );
}

const isDriving = (ride: Ride): boolean => drivingStatuses.includes(ride.status);
