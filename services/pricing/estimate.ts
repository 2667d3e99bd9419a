import { DomainError } from '../../domain/errors';
import { distanceMeters, type Point } from '../../domain/geo';

/**
 * How much longer the way on a street grid is than the straight line: |cos| + |sin| averaged over all bearings is
 * 4/π, about 1.27.
 */
export const ROAD_FACTOR = 4 / Math.PI;

/** The median speed of the trips in data/nyc-taxi-trips-2019-03.csv, stops and lights included: 16.2 km/h. */
export const CITY_SPEED_METERS_PER_SECOND = 4.5;

/** Beyond this we do not drive: a city's business, not a country's. */
export const MAX_TRIP_METERS = 150_000;

export interface TripEstimate {
  readonly distanceMeters: number;
  readonly durationSeconds: number;
}

/**
 * How far and how long a trip will be, in whole meters and seconds.
 * @throws DomainError `trip_too_long`
 */
export function estimateTrip(pickup: Point, dropoff: Point): TripEstimate {
  const meters = Math.round(distanceMeters(pickup, dropoff) * ROAD_FACTOR);
  if (meters > MAX_TRIP_METERS) {
    throw new DomainError('trip_too_long', `The trip is ${Math.round(meters / 1_000)} km long.`, {
      distanceMeters: meters,
      maxMeters: MAX_TRIP_METERS,
    });
  }
  return { distanceMeters: meters, durationSeconds: Math.round(meters / CITY_SPEED_METERS_PER_SECOND) };
}
