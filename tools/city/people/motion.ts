import { distanceMeters, type Point } from '../../../domain/geo';
import type { CityClock } from '../clock';

/** Where a car is and where it is going. Times are the city's, in milliseconds. */
export interface Motion {
  at(cityTime: number): Point;
  /** Starts to move from where it is, in a straight line; resolves nothing, `at` tells the way. */
  go(to: Point, durationMs: number): void;
  /** How long the way from here takes in the city's traffic. */
  timeTo(to: Point): number;
  readonly moving: boolean;
}

/** 25 km/h on roads that are longer than the straight line, as in Manhattan by day. */
export const METERS_PER_SECOND_STRAIGHT = 5.4;
/** Whoever lives at the edge of the city waits, but not for an hour. */
const LONGEST_WAY_MS = 8 * 60_000;

export function createMotion(start: Point, clock: Pick<CityClock, 'now'>): Motion {
  let leg = { from: start, to: start, startedAt: clock.now(), durationMs: 0 };
  const at = (cityTime: number): Point => {
    const part =
      leg.durationMs === 0 ? 1 : Math.min(1, Math.max(0, (cityTime - leg.startedAt) / leg.durationMs));
    return {
      lat: leg.from.lat + (leg.to.lat - leg.from.lat) * part,
      lng: leg.from.lng + (leg.to.lng - leg.from.lng) * part,
    };
  };
  return {
    at,
    go(to, durationMs) {
      leg = { from: at(clock.now()), to, startedAt: clock.now(), durationMs };
    },
    timeTo: (to) =>
      Math.min(LONGEST_WAY_MS, (distanceMeters(at(clock.now()), to) / METERS_PER_SECOND_STRAIGHT) * 1_000),
    get moving() {
      return clock.now() < leg.startedAt + leg.durationMs;
    },
  };
}
