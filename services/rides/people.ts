import type { RideView } from '../../contracts/api/rides';
import type { Ride } from '../../domain/ride';
import type { Queryable } from '../../platform/postgres';
import { getDriver } from './drivers';
import { ratingOf } from './ratings';
import type { Viewer } from './views';

/** Whom the viewer meets on the ride, with what others thought of them; nobody before there is a driver. */
export async function peopleOf(
  db: Queryable,
  { riderId, driverId }: Ride,
  { sub, role }: Viewer,
): Promise<Pick<RideView, 'driver' | 'riderRating'>> {
  if (driverId === null) return {};
  if (role === 'driver') {
    return driverId === sub ? { riderRating: await ratingOf(db, 'rider', riderId) } : {};
  }
  const driver = await getDriver(db, driverId);
  if (driver === null) return {};
  const { name, plate, product } = driver;
  return { driver: { name, plate, product, rating: await ratingOf(db, 'driver', driverId) } };
}
