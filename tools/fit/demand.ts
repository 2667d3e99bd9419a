import { cellToParent, latLngToCell } from 'h3-js';
import { featuresOf, forecastOf, HOURS_A_WEEK, HOURS_NEEDED, sameHourLastWeek } from '../../domain/forecast';
import { CELL_RESOLUTION } from '../../domain/geo';
import { checkPickups } from '../city/input/pickups';
import { leastSquares } from './leastSquares';

const HOUR_MS = 3_600_000;
/** Regions as analytics has them. */
const REGION_RESOLUTION = 5;
/** Weights are drawn to nothing by as much as a thousandth of what the hours say: neighbours of an hour are much alike. */
const RIDGE = 0.001;

/** Rides of each hour by region, from the first pickup's day to the last one's. */
export type HourlyCounts = ReadonlyMap<string, readonly number[]>;

/** How far forecasts are off in the hours of all regions. */
export interface ForecastError {
  /** The mean of |forecast − rides|, in rides an hour and region. */
  readonly meanAbsolute: number;
  /** The sum of |forecast − rides| by the sum of rides, in percent. */
  readonly percent: number;
}

/**
 * Counts the pickups of a file by hour and region.
 * @throws InputError where the file is not what it should be
 */
export async function readHourlyCounts(file: string): Promise<HourlyCounts> {
  const pickups = await checkPickups(file);
  const startMs = Math.floor(pickups[0]!.at / (24 * HOUR_MS)) * 24 * HOUR_MS;
  const days = Math.floor((pickups.at(-1)!.at - startMs) / (24 * HOUR_MS)) + 1;
  const regions = new Map<string, number[]>();
  for (const { at, lat, lng } of pickups) {
    const region = cellToParent(latLngToCell(lat, lng, CELL_RESOLUTION), REGION_RESOLUTION);
    let counts = regions.get(region);
    if (counts === undefined) regions.set(region, (counts = new Array<number>(days * 24).fill(0)));
    counts[Math.floor((at - startMs) / HOUR_MS)]! += 1;
  }
  return regions;
}

/** The weights by ridge regression on all hours but the last week's: what came later is not known to them. */
export function fitDemand(regions: HourlyCounts): number[] {
  const rows: number[][] = [];
  const rides: number[] = [];
  for (const counts of regions.values())
    for (let hour = HOURS_NEEDED; hour < counts.length - HOURS_A_WEEK; hour += 1) {
      rows.push(featuresOf(counts.slice(0, hour)));
      rides.push(counts[hour]!);
    }
  const size = rows[0]!.length;
  for (let i = 0; i < size; i += 1) {
    const weight = Math.sqrt(RIDGE * rows.slice(0, rides.length).reduce((sum, row) => sum + row[i]! ** 2, 0));
    rows.push(Array.from({ length: size }, (_, j) => (i === j ? weight : 0)));
  }
  const values = [...rides, ...new Array<number>(size).fill(0)];
  return leastSquares(rows, values).map((weight) => Math.round(weight * 10_000) / 10_000);
}

/** How far a forecast is off in the last week, each hour of which is forecast when the one before is over. */
export function errorInLastWeek(
  regions: HourlyCounts,
  forecast: (counts: readonly number[]) => number,
): ForecastError {
  let [off, rides, hours] = [0, 0, 0];
  for (const counts of regions.values())
    for (let hour = counts.length - HOURS_A_WEEK; hour < counts.length; hour += 1) {
      off += Math.abs(forecast(counts.slice(0, hour)) - counts[hour]!);
      rides += counts[hour]!;
      hours += 1;
    }
  return {
    meanAbsolute: Math.round((1_000 * off) / hours) / 1_000,
    percent: Math.round((1_000 * off) / rides) / 10,
  };
}

/** Both, of the same file and week. */
export const forecastErrors = (
  regions: HourlyCounts,
  weights: readonly number[] = fitDemand(regions),
): { readonly sameHourLastWeek: ForecastError; readonly model: ForecastError } => ({
  sameHourLastWeek: errorInLastWeek(regions, sameHourLastWeek),
  model: errorInLastWeek(regions, (counts) => forecastOf(counts, weights)),
});
