import { driveMeters, driveSeconds, roadMeters, ROAD_FACTOR } from './eta';
import type { Point } from './geo';
import { isIn } from './newYork';

type Places = readonly (readonly [lat: number, lng: number])[];

/** Where one gets onto an island of New York by car: the middles of bridges and tunnels, to some 100 m. */
const ways = {
  /** South of 96th Street: Battery, Brooklyn, Manhattan, Williamsburg, Midtown, Queensboro, Holland, Lincoln; three avenues. */
  manhattanSouthOf96th: [
    [40.693, -74.0137],
    [40.7061, -73.9969],
    [40.7075, -73.9908],
    [40.7137, -73.9724],
    [40.7449, -73.9646],
    [40.7569, -73.9545],
    [40.7274, -74.0211],
    [40.7632, -74.01],
    [40.795, -73.9715],
    [40.79, -73.9597],
    [40.7842, -73.9455],
  ],
  /** Verrazzano, Goethals, Bayonne, Outerbridge. */
  statenIsland: [
    [40.6066, -74.0447],
    [40.6355, -74.1965],
    [40.6421, -74.1421],
    [40.5249, -74.2472],
  ],
} as const satisfies Record<string, Places>;

type Island = keyof typeof ways;

const islandOf = (point: Point): Island | null =>
  isIn('manhattanSouthOf96th', point)
    ? 'manhattanSouthOf96th'
    : isIn('statenIsland', point)
      ? 'statenIsland'
      : null;

/**
 * A car's way from one point to another, leg by leg on the road in meters: between an island and elsewhere by the bridge,
 * tunnel or avenue that makes it shortest, otherwise straight. A driver across the Hudson is near by the straight line
 * alone. Of other waters (the Harlem River, Newtown Creek) the straight line goes for the way.
 */
export function approachLegs(from: Point, to: Point): number[] {
  const [left, entered] = [islandOf(from), islandOf(to)];
  if (left === entered) return [roadMeters(from, to)];
  let [shortest, meters]: [number[], number] = [[], Infinity];
  for (const out of left === null ? [from] : pointsOf(ways[left])) {
    for (const into of entered === null ? [to] : pointsOf(ways[entered])) {
      const stops = [from, ...(left === null ? [] : [out]), ...(entered === null ? [] : [into]), to];
      const legs = stops.slice(1).map((stop, i) => roadMeters(stops[i]!, stop));
      const sum = legs.reduce((total, leg) => total + leg, 0);
      if (sum < meters) [shortest, meters] = [legs, sum];
    }
  }
  return shortest;
}

const pointsOf = (places: Places): Point[] => places.map(([lat, lng]) => ({ lat, lng }));

/** How long that takes in this hour (0 to 23) of New York's day, in seconds. */
export const approachSeconds = (from: Point, to: Point, hour: number): number =>
  approachLegs(from, to).reduce((sum, meters) => sum + driveSeconds(meters, hour), 0);

/**
 * The least that a car may take from so many meters away, straight, in this hour: `approachSeconds(a, b, hour)` is never
 * below `leastSeconds(distanceMeters(a, b), hour)`. Seconds per meter never rise with the way (a test holds the table to
 * that), so f(x)/x ≥ f(x + y)/(x + y) and f(x) + f(y) ≥ f(x + y) for a drive's seconds f: legs take no less than one drive
 * as long as all of them. That is no shorter than `ROAD_FACTOR` times the straight line, and further never takes less.
 */
export const leastSeconds = (straightMeters: number, hour: number): number =>
  driveSeconds(straightMeters * ROAD_FACTOR, hour) * (1 - ROUNDING);

/** Who needs no more than so many seconds in this hour is no further away, straight: where `leastSeconds` says as much. */
export const mostMeters = (seconds: number, hour: number): number =>
  (driveMeters(seconds, hour) / ROAD_FACTOR) * (1 + 2 * ROUNDING);

/** More than floating point errs by in these sums and powers. */
const ROUNDING = 1e-9;
