import type { ForecastQuery, ForecastView } from '../../contracts/api/analytics';
import { forecastOf, HOURS_A_WEEK, HOURS_NEEDED, sameHourLastWeek } from '../../domain/forecast';
import type { Queryable } from '../../platform/postgres';
import { NO_REGION } from './place';
import { HOUR_MS } from './sums';

/** So far a forecast looks back. */
const WEEKS = 4;

type Region = ForecastView['regions'][number];

/**
 * What the regions' next hour will have, the busiest first, from what their hours had so far. Of an hour that is yet to
 * begin nothing is said: the one before it is not over, and what it had so far is no hour's count.
 * @param nowMs milliseconds since 1970
 */
export async function readForecast(
  db: Queryable,
  { hour, region, limit }: Omit<ForecastQuery, 'format'>,
  nowMs: number,
): Promise<ForecastView> {
  const hourMs = Math.floor((hour === undefined ? nowMs : Date.parse(hour)) / HOUR_MS) * HOUR_MS;
  const { rows } = await db.query<{ region: string; hour: string; requested: number }>({
    name: 'analytics-forecast',
    text: `select region, hour, value as requested from hours
           where name = 'requested' and hour >= $1 and hour <= $2 and region <> $3`,
    values: [
      // Postgres has no year 0, and nobody asked for a ride before 1970.
      new Date(Math.max(0, hourMs - WEEKS * HOURS_A_WEEK * HOUR_MS)).toISOString(),
      new Date(hourMs).toISOString(),
      NO_REGION,
    ],
  });
  const firstMs = rows.reduce((first, row) => Math.min(first, Date.parse(row.hour)), hourMs);
  const counts = new Map<string, number[]>();
  for (const row of rows) {
    let hours = counts.get(row.region);
    if (hours === undefined)
      counts.set(row.region, (hours = new Array<number>((hourMs - firstMs) / HOUR_MS + 1).fill(0)));
    hours[(Date.parse(row.hour) - firstMs) / HOUR_MS] = row.requested;
  }
  const regions = [...counts]
    .filter(([id]) => region === undefined || id === region)
    .map(([id, hours]) => (hourMs <= nowMs ? forecastIn(id, hours) : unknownIn(id, hours)))
    .sort((a, b) => busyness(b) - busyness(a) || (a.region < b.region ? -1 : 1));
  return { hour: new Date(hourMs).toISOString(), regions: regions.slice(0, limit) };
}

/** @param hours all there are, the last of them the one that is forecast */
function forecastIn(region: string, hours: readonly number[]): Region {
  const [before, requested] = [hours.slice(0, -1), hours.at(-1)!];
  return {
    region,
    forecast: before.length < HOURS_NEEDED ? null : Math.round(forecastOf(before) * 100) / 100,
    sameHourLastWeek: before.length < HOURS_A_WEEK ? null : sameHourLastWeek(before),
    requested,
  };
}

const unknownIn = (region: string, hours: readonly number[]): Region => ({
  ...{ region, forecast: null, sameHourLastWeek: null, requested: hours.at(-1)! },
});

const busyness = ({ forecast, requested }: Region): number => forecast ?? requested;
