import { DomainError } from '../../domain/errors';
import { driveSeconds, newYorkHour, routeMeters } from '../../domain/eta';
import type { Point } from '../../domain/geo';

/** Beyond this we do not drive: a city's business, not a country's. */
export const MAX_TRIP_METERS = 150_000;

export interface TripEstimate {
  readonly distanceMeters: number;
  readonly durationSeconds: number;
}

/**
 * How far and how long a trip through these points will be when it begins at `beginsAtMs` (milliseconds since 1970),
 * in whole meters and seconds. Each leg's time is its own: two short drives take longer than a long one.
 * @throws DomainError `trip_too_long`
 */
export function estimateTrip(points: readonly Point[], beginsAtMs: number): TripEstimate {
  const hour = newYorkHour(beginsAtMs);
  const legs = points.slice(1).map((point, i) => routeMeters([points[i]!, point]));
  const meters = Math.round(sum(legs));
  if (meters > MAX_TRIP_METERS) {
    throw new DomainError('trip_too_long', `The trip is ${Math.round(meters / 1_000)} km long.`, {
      distanceMeters: meters,
      maxMeters: MAX_TRIP_METERS,
    });
  }
  return {
    distanceMeters: meters,
    durationSeconds: Math.round(sum(legs.map((leg) => driveSeconds(leg, hour)))),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
