import fc from 'fast-check';
import { bucketOf, percentilesOf } from '../../consumers/analytics/spread';

/** From a moment to a day, as a ride may take. */
const seconds = fc.oneof(
  fc.double({ min: 0, max: 86_400, noNaN: true }),
  fc.double({ min: 0, max: 1_200, noNaN: true }),
);
const batches = fc.array(fc.array(seconds, { maxLength: 60 }), { minLength: 1, maxLength: 8 });

/** What each batch counts by bucket, added up to that of those before it. */
function addedUp(all: readonly (readonly number[])[]): { seconds: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const batch of all) {
    const its = new Map<number, number>();
    for (const one of batch) its.set(bucketOf(one), (its.get(bucketOf(one)) ?? 0) + 1);
    for (const [bucket, count] of its) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  }
  return [...counts].map(([bucket, count]) => ({ seconds: bucket, count }));
}

test('percentiles are exact to a hundredth, and the half second to which times are rounded', () => {
  fc.assert(
    fc.property(batches, (all) => {
      const sorted = all.flat().sort((a, b) => a - b);
      const found = percentilesOf(addedUp(all));
      expect(found?.count ?? 0).toBe(sorted.length);
      if (found === null) return;
      for (const percent of [50, 90, 99] as const) {
        const exact = sorted[Math.ceil((percent * sorted.length) / 100) - 1]!;
        expect(Math.abs(found[`p${percent}`] - exact)).toBeLessThanOrEqual(exact / 100 + 0.5);
      }
    }),
  );
});

test('they are the same however the times are split, and in whatever order they come', () => {
  const shuffled = batches.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.shuffledSubarray(all.flat(), { minLength: all.flat().length }),
      fc.integer({ min: 1, max: 9 }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([all, again, size]) => {
      const split = Array.from({ length: Math.ceil(again.length / size) }, (_, i) =>
        again.slice(i * size, (i + 1) * size),
      );
      const together = percentilesOf(addedUp([all.flat()]));
      expect(percentilesOf(addedUp(split))).toEqual(together);
      // Not added up before, either.
      expect(percentilesOf(split.flatMap((batch) => addedUp([batch])))).toEqual(together);
    }),
  );
});

test('what is longer than a day counts as one, what is shorter than nothing as nothing', () => {
  const day = percentilesOf([{ seconds: bucketOf(1e9), count: 1 }]);
  expect(day).toEqual(percentilesOf([{ seconds: bucketOf(86_400), count: 1 }]));
  expect(Math.abs(day!.p50 - 86_400)).toBeLessThanOrEqual(864);
  expect(percentilesOf([{ seconds: bucketOf(-5), count: 2 }])).toEqual({ count: 2, p50: 0, p90: 0, p99: 0 });
  expect(percentilesOf([])).toBeNull();
});
