import { validate as isUuid } from 'uuid';
import { DomainError } from '../../domain/errors';
import type { Ride } from '../../domain/ride';
import type { Queryable } from '../../platform/postgres';
import { getRide } from './store';
import { maySee, type Viewer } from './views';

/**
 * The ride, if the viewer may know of it; an unknown id, a malformed one and somebody else's are the same.
 * @throws DomainError `ride_not_found`
 */
export async function visibleRide(db: Queryable, rideId: string, viewer: Viewer): Promise<Ride> {
  const ride = isUuid(rideId) ? await getRide(db, rideId) : null;
  if (ride !== null && (maySee(ride, viewer) || (await hasWon(db, ride, viewer)))) return ride;
  throw new DomainError('ride_not_found', 'There is no ride with this id.');
}

/** Whether a driver has accepted the ride's offer and waits for the ride's own word on it. */
async function hasWon(db: Queryable, ride: Ride, { sub, role }: Viewer): Promise<boolean> {
  if (role !== 'driver' || ride.status !== 'matching') return false;
  const { rowCount } = await db.query({
    name: 'offer-won',
    text: `select 1 from drivers join offers using (offer_id)
           where drivers.driver_id = $1 and offers.ride_id = $2 and offers.state = 'accepted'`,
    values: [sub, ride.rideId],
  });
  return rowCount === 1;
}
