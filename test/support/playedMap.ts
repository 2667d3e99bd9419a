import type { FindNearby } from '../../services/rides/location';

/** Finds these drivers near every pickup, 100 m further away one after another. */
export const playedMap =
  (nearby: readonly string[]): FindNearby =>
  ({ lat, lng }, { limit }) =>
    Promise.resolve(
      nearby.slice(0, limit).map((driverId, i) => ({
        driverId,
        lat: lat + (100 * (i + 1)) / 111_195,
        lng,
        ageMs: 0,
      })),
    );
