import type { Say } from '../../stack/say';
import { inRounds, type Checks, type Spread } from '../frame';
import { howFar, minuteAtPeak, MOST_AGE_MS, PEAK, type EndToEnd, type EndToEndOptions } from './endToEnd';

/** New York in some hundreds of regions, so that the partitions share it … */
export const SPLIT_METERS = 2_000;
/** … and in one, as it is unless told: one partition has everything. */
const WHOLE_METERS = 100_000;
const SECONDS = 10;
/** Of two processes with even shares each has half. */
const MOST_SHARE = 0.7;

export type BeginOn = (
  topic: string,
  log: Pick<EndToEndOptions, 'regionMeters' | 'indexers'>,
) => Promise<EndToEnd>;

/** All drivers in one city at the peak: what the busier of two processes has to do, with one region and with smaller ones. */
export async function benchSkew(
  beginOn: BeginOn,
  rounds: number,
  checks: Checks,
  say: Say,
): Promise<{ contestants: Record<string, Record<string, Spread>>; figures: Record<string, number> }> {
  const oneRegion = await beginOn('bench.oneRegion', { regionMeters: WHOLE_METERS, indexers: 2 });
  const splitRegions = await beginOn('bench.splitRegions', { regionMeters: SPLIT_METERS, indexers: 2 });
  const atPeak = { updatesPerSecond: PEAK, seconds: SECONDS };
  const contestants = await inRounds(
    { oneRegion: () => oneRegion.shift(minuteAtPeak), splitRegions: () => splitRegions.shift(atPeak) },
    rounds,
    (text) => say.line(text),
  );
  checks.note('oneRegionBusiesOneProcess', contestants['oneRegion']!['busiestShare']!.min >= 0.99);
  checks.note('oneRegionHeldForAMinute', contestants['oneRegion']!['updatesPerSecond']!.min >= PEAK);
  checks.note('oneRegionAgeP99BelowASecond', contestants['oneRegion']!['ageP99Ms']!.max < MOST_AGE_MS);
  checks.note('splitRegionsAreShared', contestants['splitRegions']!['busiestShare']!.max <= MOST_SHARE);
  return {
    contestants,
    figures: {
      oneRegionMostUpdatesPerSecond: await howFar(oneRegion, say),
      splitRegionsMostUpdatesPerSecond: await howFar(splitRegions, say),
    },
  };
}
