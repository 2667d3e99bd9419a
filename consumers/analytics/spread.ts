import { build, type JsHistogram } from 'hdr-histogram-js';

/** Of the value: two digits, so that no bucket is wider than a hundredth of it. */
const DIGITS = 2;
/** Nothing that is measured here takes longer than a day. */
const MOST_SECONDS = 86_400;

const empty = (): JsHistogram =>
  build({ highestTrackableValue: MOST_SECONDS, numberOfSignificantValueDigits: DIGITS }) as JsHistogram;
const shape = empty();

/** The least value of the bucket that so many seconds are counted in. Adding up buckets loses nothing more. */
export const bucketOf = (seconds: number): number =>
  shape.lowestEquivalentValue(Math.min(MOST_SECONDS, Math.max(0, Math.round(seconds))));

/** Percentiles of buckets with their counts, in seconds; null of none. */
export function percentilesOf(
  buckets: readonly { readonly seconds: number; readonly count: number }[],
): { count: number; p50: number; p90: number; p99: number } | null {
  if (buckets.length === 0) return null;
  const histogram = empty();
  for (const { seconds, count } of buckets) histogram.recordValueWithCount(seconds, count);
  const at = (percent: number): number =>
    histogram.medianEquivalentValue(histogram.getValueAtPercentile(percent));
  return { count: histogram.totalCount, p50: at(50), p90: at(90), p99: at(99) };
}
