import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demandModel } from '../../domain/demandModel';
import { featuresOf, forecastOf, HOURS_A_WEEK, HOURS_NEEDED, sameHourLastWeek } from '../../domain/forecast';
import { forecast } from '../../tools/cli/forecast';
import { fitDemand, readHourlyCounts } from '../../tools/fit/demand';
import { demandModel as generated, MONTH_FILE } from '../../tools/fit/demandModel';
import { projectRoot } from '../../tools/stack/places';

/** Hours that are told apart by their number. */
const numbered = (length: number): number[] => Array.from({ length }, (_, hour) => hour);

describe('the forecast of demand', () => {
  test('knows the last hours, the same hour before, and what these usually have', () => {
    const counts = numbered(HOURS_NEEDED);
    const at = counts.length;
    const week = HOURS_A_WEEK;
    const usual = (hours: number): number => (2 * at - 3 * week - 2 * hours) / 2;
    expect(featuresOf(counts)).toEqual([
      ...[at - 84.5, at - 1, at - 2, at - 24, at - week],
      ...[usual(0), usual(1), usual(2)],
    ]);
    expect(sameHourLastWeek(counts)).toBe(at - week);
  });

  test('is twice as high where all was twice as much, and never below nothing', () => {
    const counts = numbered(HOURS_NEEDED).map((hour) => 10 + ((hour * 7) % 24));
    expect(forecastOf(counts.map((count) => 2 * count))).toBeCloseTo(2 * forecastOf(counts), 9);
    expect(forecastOf(new Array<number>(HOURS_NEEDED).fill(0))).toBe(0);
    expect(forecastOf(counts, [0, -1, 0, 0, 0, 0, 0, 0])).toBe(0);
  });

  test('has the weights that the month of pickups gives', async () => {
    const compact = (text: string): string => text.replace(/[\s,]/g, '');
    const committed = readFileSync(join(projectRoot(), 'domain', 'demandModel.ts'), 'utf8');
    expect(compact(committed)).toBe(compact(await generated(projectRoot())));
    const counts = await readHourlyCounts(join(projectRoot(), MONTH_FILE));
    const all = [...counts.values()].flat().reduce((sum, count) => sum + count, 0);
    expect(all).toBe(35_536);
    expect(demandModel.weights).toHaveLength(featuresOf(numbered(HOURS_NEEDED)).length);
  });

  test('is fitted to all weeks but the last, which it is tried on', async () => {
    const regions = await readHourlyCounts(join(projectRoot(), MONTH_FILE));
    const lastWeek = [...regions.values()][0]!.length - HOURS_A_WEEK;
    /** The weights that the month gives with three rides more in each region in some of its hours. */
    const weightsWithMore = (isBusier: (hour: number) => boolean): number[] => {
      const busier = (counts: readonly number[]) =>
        counts.map((count, hour) => (isBusier(hour) ? count + 3 : count));
      return fitDemand(new Map([...regions].map(([region, counts]) => [region, busier(counts)])));
    };
    const weights = weightsWithMore(() => false);
    expect(weightsWithMore((hour) => hour >= lastWeek && hour % 2 === 0)).toEqual(weights);
    expect(weightsWithMore((hour) => hour === lastWeek)).toEqual(weights);
    expect(weightsWithMore((hour) => hour === lastWeek - 1)).not.toEqual(weights);
    const weekBefore = lastWeek - HOURS_A_WEEK;
    expect(weightsWithMore((hour) => hour >= weekBefore && hour < lastWeek && hour % 2 === 0)).not.toEqual(
      weights,
    );
  });

  test('is off by a third less than the same hour of last week, in a week that it has not seen', async () => {
    const printed: string[] = [];
    const out = jest
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => printed.push(String(text)) > 0);
    try {
      expect(await forecast(['--json'])).toBe(0);
      expect(await forecast([])).toBe(0);
    } finally {
      out.mockRestore();
    }
    const { model, sameHourLastWeek: baseline } = JSON.parse(printed[0]!) as Record<
      string,
      { percent: number }
    >;
    expect(model!.percent).toBeLessThan((baseline!.percent * 2) / 3);
    expect(printed[1]).toMatch(/^forecast: .*28\.\d %.*\nsame hour last week: .*43\.1 %/);
  });
});
