import { readCsv, localTime, localTimeExpected, numberBetween } from '../city/input/csv';
import { leastSquares } from './leastSquares';

/** A trip that was driven: how far by the taximeter, how long, and in which hour of the local day it began. */
export interface DrivenTrip {
  readonly meters: number;
  readonly seconds: number;
  /** 0 to 23. */
  readonly hour: number;
}

/** What domain/eta.ts reads: seconds for the distances of the knots, and a factor for each hour of the day. */
export interface DurationTable {
  readonly knots: readonly (readonly [meters: number, seconds: number])[];
  readonly hourFactors: readonly number[];
}

/** How far a prediction is off on trips that it has not seen. */
export interface HeldOutError {
  /** Half of the trips are predicted better than this: |predicted − driven| / driven, in percent. */
  readonly medianAbsolutePercent: number;
  readonly medianAbsoluteSeconds: number;
  /** The median of (predicted − driven) / driven, in percent: above 0 is too slow. */
  readonly biasPercent: number;
}

const METERS_PER_MILE = 1_609.344;

/** Distances between which the time is interpolated, each twice the one before. */
const KNOT_METERS = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000];

/** Of five trips in the file's order, which is the order of time, the fifth is held out. */
const HELD_OUT_EVERY = 5;

/** How far an hour is drawn to its neighbours: as if it had this many trips of each of theirs. */
const HOUR_SMOOTHING = 10;

/**
 * The trips of the file that can have been driven so: at least 160 m and a minute, at most three hours, from 2 to
 * 110 km/h. What is left out (a meter that was forgotten, a flat rate) is 1.4 % of the file.
 * @throws InputError where the file is not what it should be
 */
export async function readDrivenTrips(file: string): Promise<DrivenTrip[]> {
  const rows = await readCsv(file, ['pickup_at', 'dropoff_at', 'distance_miles']);
  return rows
    .map((row) => {
      const beganAt = row.get('pickup_at', localTimeExpected, localTime);
      return {
        meters: row.get('distance_miles', 'miles from 0 to 1000', numberBetween(0, 1_000)) * METERS_PER_MILE,
        seconds: (row.get('dropoff_at', localTimeExpected, localTime) - beganAt) / 1_000,
        hour: new Date(beganAt).getUTCHours(),
      };
    })
    .filter(isPlausible);
}

function isPlausible({ meters, seconds }: DrivenTrip): boolean {
  const kmPerHour = (meters / seconds) * 3.6;
  return meters >= 160 && seconds >= 60 && seconds <= 3 * 3_600 && kmPerHour >= 2 && kmPerHour <= 110;
}

/** The same split for the same file. */
export function split(trips: readonly DrivenTrip[]): { train: DrivenTrip[]; heldOut: DrivenTrip[] } {
  const isHeldOut = (_: DrivenTrip, index: number): boolean => index % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
  return {
    train: trips.filter((trip, index) => !isHeldOut(trip, index)),
    heldOut: trips.filter(isHeldOut),
  };
}

/**
 * Least squares of the logarithm of the time: a line from knot to knot in the logarithm of the distance, plus a term
 * for the hour. The hour's terms sum to 0 over the trips, and each is drawn a little to its neighbours'.
 */
export function fitDurations(trips: readonly DrivenTrip[]): DurationTable {
  const rows = trips.map(features);
  const times = trips.map(({ seconds }) => Math.log(seconds));
  for (let hour = 0; hour < 24; hour += 1) {
    const neighbours = new Array<number>(KNOT_METERS.length + 24).fill(0);
    neighbours[KNOT_METERS.length + hour] = Math.sqrt(HOUR_SMOOTHING);
    neighbours[KNOT_METERS.length + ((hour + 1) % 24)] = -Math.sqrt(HOUR_SMOOTHING);
    rows.push(neighbours);
    times.push(0);
  }
  // Without it one constant could move between knots and hours: this row fixes where.
  rows.push([...KNOT_METERS.map(() => 0), ...hourCounts(trips)]);
  times.push(0);
  const terms = leastSquares(rows, times);
  const knotTerms = terms.slice(0, KNOT_METERS.length);
  const hourTerms = terms.slice(KNOT_METERS.length);
  return {
    knots: KNOT_METERS.map((meters, i) => [meters, Math.round(Math.exp(knotTerms[i]!))]),
    hourFactors: hourTerms.map((term) => Math.round(Math.exp(term) * 1_000) / 1_000),
  };
}

function hourCounts(trips: readonly DrivenTrip[]): number[] {
  const counts = new Array<number>(24).fill(0);
  for (const { hour } of trips) counts[hour]! += 1 / trips.length;
  return counts;
}

/** How much of each knot and of each hour is in a trip. */
function features({ meters, hour }: DrivenTrip): number[] {
  const row = new Array<number>(KNOT_METERS.length + 24).fill(0);
  const at = Math.log2(meters / KNOT_METERS[0]!);
  const last = KNOT_METERS.length - 2;
  const left = Math.min(last, Math.max(0, Math.floor(at)));
  row[left] = 1 - (at - left);
  row[left + 1] = at - left;
  row[KNOT_METERS.length + hour] = 1;
  return row;
}

/** How far `predict` is off on these trips. */
export function errorOn(trips: readonly DrivenTrip[], predict: (trip: DrivenTrip) => number): HeldOutError {
  const off = trips.map((trip) => ({ seconds: predict(trip) - trip.seconds, driven: trip.seconds }));
  const percent = off.map(({ seconds, driven }) => (100 * seconds) / driven);
  return {
    medianAbsolutePercent: rounded(median(percent.map(Math.abs))),
    medianAbsoluteSeconds: Math.round(median(off.map(({ seconds }) => Math.abs(seconds)))),
    biasPercent: rounded(median(percent)),
  };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
