import { durationTable } from './durationTable';
import { distanceMeters, type Point } from './geo';

/**
 * How much longer the way on the road is than the straight line: |cos| + |sin| averaged over all bearings is 4/π, about
 * 1.27, what a grid of streets makes of it. Measured on road networks: 1.20 for the United States (Ballou, Rahardja
 * and Sakai 2002, "Selected country circuity factors for road travel distance estimation"), about 1.2 for cities
 * (Newell 1980, "Traffic Flow on Transportation Networks"), more for short ways than for long ones (Giacomin and
 * Levinson 2015, doi 10.1068/b130131p). Most of our ways are short and on a grid, so the grid's it is.
 */
export const ROAD_FACTOR = 4 / Math.PI;

/** The way on the road, in meters. */
export const roadMeters = (from: Point, to: Point): number => distanceMeters(from, to) * ROAD_FACTOR;

/** The way on the road from the first point by all others to the last, in meters. */
export const routeMeters = (points: readonly Point[]): number =>
  points.slice(1).reduce((sum, point, i) => sum + roadMeters(points[i]!, point), 0);

/** Seconds for so many meters on the road, begun in this hour (0 to 23) of the local day. */
export type DriveSeconds = (meters: number, hour: number) => number;

/**
 * Seconds by distance and hour: from knot to knot a line in the logarithms of distance and time; before the first
 * and beyond the last at the speed of that knot. Further never takes less.
 */
export function createDriveSeconds(table: {
  readonly knots: readonly (readonly [meters: number, seconds: number])[];
  readonly hourFactors: readonly number[];
}): DriveSeconds {
  const { knots, hourFactors } = table;
  return (meters, hour) => {
    const factor = hourFactors[hour];
    if (factor === undefined) throw new Error(`impossible: a day has no hour ${hour}`);
    return factor * betweenKnots(knots, meters);
  };
}

/** How far one comes on the road in so many seconds, begun in this hour: the other way round. */
export const driveMeters = (seconds: number, hour: number): number =>
  betweenKnots(metersBySeconds, seconds / durationTable.hourFactors[hour]!);

const metersBySeconds = durationTable.knots.map(([meters, seconds]) => [seconds, meters] as const);

function betweenKnots(knots: readonly (readonly [number, number])[], meters: number): number {
  const next = knots.findIndex(([knot]) => meters <= knot);
  const [nearMeters, nearSeconds] = knots[next === -1 ? knots.length - 1 : Math.max(0, next - 1)]!;
  if (next <= 0) return (meters / nearMeters) * nearSeconds;
  const [farMeters, farSeconds] = knots[next]!;
  const part = Math.log(meters / nearMeters) / Math.log(farMeters / nearMeters);
  return nearSeconds * (farSeconds / nearSeconds) ** part;
}

/** How long a drive takes in New York, stops and lights included. */
export const driveSeconds = createDriveSeconds(durationTable);

/** Twice as fast as the longest trips of the table in its emptiest hour: 32 m/s, 115 km/h. */
const TOP_METERS_PER_SECOND = (() => {
  const [meters, seconds] = durationTable.knots[durationTable.knots.length - 1]!;
  return (2 * meters) / (seconds * Math.min(...durationTable.hourFactors));
})();

/** How far apart two positions of a car that stands may be: what satellites err between high houses, twice. */
const POSITION_ERROR_METERS = 100;

/** Whether a car can have come from one point to the other in so many seconds: straight, and faster than any does. */
export const canHaveCome = (from: Point, to: Point, seconds: number): boolean =>
  distanceMeters(from, to) <= POSITION_ERROR_METERS + TOP_METERS_PER_SECOND * seconds;

const newYork = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hour: '2-digit',
  hourCycle: 'h23',
});

/** The hour of New York's day, 0 to 23, at a moment in milliseconds since 1970. */
export const newYorkHour = (atMs: number): number => Number(newYork.format(atMs));
