import { demandModel } from './demandModel';

export const HOURS_A_WEEK = 168;

/** What a forecast has to know: the hours of two weeks, and the two before. */
export const HOURS_NEEDED = 2 * HOURS_A_WEEK + 2;

/**
 * What the model makes a forecast of. All are counts, so a city with twice the rides has twice the forecast.
 * @param counts rides of each hour, the last of them the hour before the one that is forecast
 */
export function featuresOf(counts: readonly number[]): number[] {
  const ago = (hours: number): number => counts[counts.length - hours] ?? 0;
  const weeks = Math.floor((counts.length - 2) / HOURS_A_WEEK);
  /** The mean of an hour in all the weeks before. */
  const usual = (hours: number): number => {
    let sum = 0;
    for (let week = 1; week <= weeks; week += 1) sum += ago(week * HOURS_A_WEEK + hours);
    return sum / weeks;
  };
  const level = counts.slice(-HOURS_A_WEEK).reduce((sum, count) => sum + count, 0) / HOURS_A_WEEK;
  return [level, ...[ago(1), ago(2), ago(24), ago(HOURS_A_WEEK)], ...[usual(0), usual(1), usual(2)]];
}

/**
 * How many rides will be asked for in the next hour: a sum of what the last hours had, what this hour usually has, and what
 * the last ones usually have, weighed as fitted to a month of New York (`demandModel`).
 * @param counts rides of each hour so far, `HOURS_NEEDED` at least
 */
export const forecastOf = (
  counts: readonly number[],
  weights: readonly number[] = demandModel.weights,
): number =>
  Math.max(
    0,
    featuresOf(counts).reduce((sum, feature, i) => sum + feature * weights[i]!, 0),
  );

/** What the forecast has to be better than: as many as in the same hour a week ago. */
export const sameHourLastWeek = (counts: readonly number[]): number => counts[counts.length - HOURS_A_WEEK]!;
