import { join } from 'node:path';
import { demandModel } from '../../domain/demandModel';
import { forecastErrors, readHourlyCounts } from '../fit/demand';
import { MONTH_FILE, words } from '../fit/demandModel';
import { projectRoot } from '../stack/places';
import { optionsOf } from './arguments';

/**
 * `npx hailway forecast`: how far the forecast of demand is off in a week of pickups that it was not fitted to, and how far
 * the same hour of last week is.
 * @returns 0; 1 where the forecast is no better
 */
export async function forecast(argv: readonly string[]): Promise<number> {
  const { json = false, pickups } = optionsOf(argv, ['pickups'], ['json']);
  const counts = await readHourlyCounts(pickups ?? join(projectRoot(), MONTH_FILE));
  const errors = forecastErrors(counts, demandModel.weights);
  const lines = [
    `forecast:            ${words(errors.model)}`,
    `same hour last week: ${words(errors.sameHourLastWeek)}`,
  ];
  process.stdout.write(`${json ? JSON.stringify(errors) : lines.join('\n')}\n`);
  return errors.model.meanAbsolute < errors.sameHourLastWeek.meanAbsolute ? 0 : 1;
}
