import { z } from 'zod';
import { cell, currency, time } from '../shared';

// What is asked is held to its fields; answers may have more of them than their reader knows, while versions are mixed.

const format = z.enum(['json', 'csv']).default('json').describe('csv: one line a row, for spreadsheets');
const limit = z.coerce.number().int().min(1).max(1_000).default(100);
const range = { from: time.optional(), to: time.optional().describe('exclusive') };
const region = cell.describe('H3, resolution 5');

export const demandQuery = z.strictObject({
  ...range,
  cell: cell.optional(),
  per: z
    .enum(['minute', 'range'])
    .optional()
    .describe('range: a row a cell, summed up from its first `minute` in the range on, the busiest first'),
  limit,
  format,
});

/** Demand and supply by H3 cell (resolution 8) and minute of the fact's time; rides by their pickup. */
export const demandView = z.object({
  cells: z.array(
    z.object({
      cell: z.string(),
      minute: time,
      requested: z.int(),
      completed: z.int(),
      cancelled: z.int(),
      noDriver: z.int(),
      assigned: z.int().describe('drivers who took a ride that begins there'),
      freed: z.int().describe('drivers who became free there'),
    }),
  ),
  late: z.int().describe('facts of all time that came too late to be counted in their minute'),
});

export const hoursQuery = z.strictObject({ ...range, region: region.optional(), limit, format });

const spread = z
  .object({ count: z.int(), p50: z.number(), p90: z.number(), p99: z.number() })
  .nullable()
  .describe('percentiles in seconds, exact to a hundredth; null where there was none');

/** What became of rides, by the hour in which they were asked for, and how drivers spent it. */
export const hoursView = z.object({
  hours: z.array(
    z.object({
      hour: time,
      region: region.nullable().describe('null: nobody said where'),
      quoted: z.int(),
      requested: z.int(),
      matched: z.int().describe('found a driver, once at least'),
      completed: z.int(),
      cancelled: z.int(),
      noDriver: z.int(),
      paymentFailed: z.int(),
      revenueMinor: z.record(currency, z.int()).describe('fares and fees, in minor units by currency'),
      busySeconds: z.int().describe('drivers on a ride, from taking it on; of the hour itself'),
      onlineSeconds: z.int().describe('drivers on a shift that began in the region; of the hour itself'),
      utilization: z.number().nullable().describe('busy by online'),
      matchSeconds: spread,
      waitSeconds: spread.describe('from the request until the rider is in the car'),
      etaErrorSeconds: spread.describe('how far the drive was off what was quoted, either way'),
    }),
  ),
});

export const surgeQuery = z.strictObject({ cell: cell.optional(), limit, format });

/** Where rides cost more now, the most first. */
export const surgeView = z.object({
  surges: z.array(z.object({ cell: z.string(), multiplier: z.number(), validUntil: time })),
});

export const forecastQuery = z.strictObject({
  hour: time.optional().describe('where the hour begins; the one that runs, unless told'),
  region: region.optional(),
  limit,
  format,
});

/** How many rides an hour will have, as known when the one before is over. */
export const forecastView = z.object({
  hour: time,
  regions: z.array(
    z.object({
      region,
      forecast: z
        .number()
        .nullable()
        .describe('null where less than two weeks are known, and of an hour that is yet to begin'),
      sameHourLastWeek: z
        .int()
        .nullable()
        .describe('what the forecast has to be better than; null where a week is not known, and likewise'),
      requested: z.int().describe('so far'),
    }),
  ),
});

export type DemandView = z.infer<typeof demandView>;
export type DemandQuery = z.infer<typeof demandQuery>;
export type HoursView = z.infer<typeof hoursView>;
export type HoursQuery = z.infer<typeof hoursQuery>;
export type SurgeView = z.infer<typeof surgeView>;
export type SurgeQuery = z.infer<typeof surgeQuery>;
export type ForecastView = z.infer<typeof forecastView>;
export type ForecastQuery = z.infer<typeof forecastQuery>;
