import { asText, Checks, inRounds, percentile, ratiosTo, spreadOf } from '../../tools/bench/frame';
import { parseBenchOptions } from '../../tools/bench/options';
import { UsageError } from '../../tools/commandLine';

describe('rounds', () => {
  test('take turns, each second one in the other order', async () => {
    const order: string[] = [];
    const contestant = (name: string, perSecond: number) => async () => {
      order.push(name);
      return { perSecond: perSecond + order.length, other: 1 };
    };
    const contestants = { baseline: contestant('baseline', 10), ours: contestant('ours', 30) };
    const seen = await inRounds(contestants, 2, () => {});
    expect(order).toEqual(['baseline', 'ours', 'ours', 'baseline']);
    expect(seen['baseline']).toEqual({
      perSecond: { min: 11, median: 12.5, max: 14 },
      other: { min: 1, median: 1, max: 1 },
    });
    // Of the medians of the first metric: 32.5 and 12.5.
    expect(ratiosTo('baseline', seen)).toEqual({ 'ours/baseline': 2.6 });
  });

  test('a check that was false once is false', () => {
    const checks = new Checks();
    checks.note('paid', true);
    checks.note('paid', false);
    checks.note('paid', true);
    checks.note('ended', true);
    expect(checks.all).toEqual({ paid: false, ended: true });
  });
});

test('percentiles lie between the values', () => {
  expect(percentile([4, 1, 3, 2], 50)).toBe(2.5);
  expect(percentile([1, 2, 3], 100)).toBe(3);
  expect(percentile([7], 99)).toBe(7);
  expect(spreadOf([1.23456, 1234.56])).toEqual({ min: 1.23, median: 618, max: 1235 });
});

test('the text names every contestant, ratio, figure and check', () => {
  const spread = { min: 1, median: 2, max: 3 };
  const text = asText({
    bench: 'x',
    rounds: 1,
    contestants: { ours: { perSecond: spread } },
    ratios: { 'ours/theirs': 2 },
    figures: { p50Ms: 3 },
    checks: { paid: true },
  });
  for (const word of ['ours', 'perSecond', 'ours/theirs', 'p50Ms', 'paid']) expect(text).toContain(word);
});

describe('options', () => {
  test('a name with what it takes', () => {
    expect(parseBenchOptions(['ride', '--json', '--open', '100,1000'], ['ride'])).toEqual({
      name: 'ride',
      options: { json: true, rounds: 3, size: undefined, open: [100, 1_000] },
    });
  });

  test.each([
    [[]],
    [['nothing']],
    [['ride', 'ride']],
    [['ride', '--rounds', '0']],
    [['ride', '--open', '1,x']],
    [['relay', '--open', '100']],
  ])('%j is refused in one line', (argv) => {
    expect(() => parseBenchOptions(argv, ['ride', 'relay'])).toThrow(UsageError);
  });
});
