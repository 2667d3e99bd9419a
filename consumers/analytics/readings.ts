import type {
  DemandQuery,
  DemandView,
  HoursQuery,
  HoursView,
  SurgeQuery,
  SurgeView,
} from '../../contracts/api/analytics';
import type { Queryable } from '../../platform/postgres';
import { percentilesOf } from './spread';
import { HOUR_MS, LONGEST_MS } from './sums';

type Asked<Q extends { format: unknown }> = Omit<Q, 'format'>;
type HourRow = HoursView['hours'][number];

const inRange = `minute >= coalesce($1::timestamptz, '-infinity') and minute < coalesce($2::timestamptz, 'infinity')
             and ($3::text is null or cell = $3)`;
/** How demand is read: by the minute, or each cell's summed up. */
const demandPer = {
  minute: {
    name: 'analytics-read-demand',
    text: `select cell, minute, requested, completed, cancelled, no_driver as "noDriver", assigned, freed from demand
           where ${inRange} order by minute desc, requested desc, cell limit $4`,
  },
  range: {
    name: 'analytics-read-demand-range',
    text: `select cell, min(minute) as minute, sum(requested) as requested, sum(completed) as completed,
             sum(cancelled) as cancelled, sum(no_driver) as "noDriver", sum(assigned) as assigned, sum(freed) as freed
           from demand where ${inRange} group by cell order by sum(requested) desc, cell limit $4`,
  },
} as const;

/** The newest minutes first, in each the busiest cells first; or of the range's sums (`per`) the busiest cells first. */
export async function readDemand(
  db: Queryable,
  { from, to, cell, per = 'minute', limit }: Asked<DemandQuery>,
): Promise<DemandView> {
  const { rows } = await db.query<DemandView['cells'][number]>({
    ...demandPer[per],
    values: [from ?? null, to ?? null, cell ?? null, limit],
  });
  const late = await db.query<{ late: number }>(
    'select coalesce(sum(late), 0)::bigint as late from event_times',
  );
  return { cells: rows, late: late.rows[0]!.late };
}

/** Where rides cost more at `atMs`, the most first. */
export async function readSurges(
  db: Queryable,
  { cell, limit }: Asked<SurgeQuery>,
  atMs: number,
): Promise<SurgeView> {
  const { rows } = await db.query<SurgeView['surges'][number]>({
    name: 'analytics-read-surges',
    text: `select cell, multiplier, valid_until as "validUntil" from surges
           where multiplier > 1 and valid_until > $1 and ($2::text is null or cell = $2)
           order by multiplier desc, cell limit $3`,
    values: [new Date(atMs).toISOString(), cell ?? null, limit],
  });
  return { surges: rows };
}

/** The newest hours first; of an hour the regions in order. */
export async function readHours(
  db: Queryable,
  { from, to, region, limit }: Asked<HoursQuery>,
): Promise<HoursView> {
  const { rows } = await db.query<{
    hour: string;
    region: string;
    values: Record<string, number>;
    spreads: Record<string, { seconds: number; count: number }[]> | null;
  }>({
    name: 'analytics-read-hours',
    text: `select h.hour, h.region, jsonb_object_agg(h.name, h.value) as values, (
             select jsonb_object_agg(name, buckets) from (
               select name, jsonb_agg(jsonb_build_object('seconds', seconds, 'count', count)) as buckets from spreads s
               where s.hour = h.hour and s.region = h.region group by name) as named) as spreads
           from hours h
           where h.hour >= coalesce($1::timestamptz, '-infinity') and h.hour < coalesce($2::timestamptz, 'infinity')
             and ($3::text is null or h.region = $3)
           group by h.hour, h.region order by h.hour desc, h.region limit $4`,
    values: [from ?? null, to ?? null, region ?? null, limit],
  });
  const open = await openShiftSeconds(db, rows);
  return {
    hours: rows.map(({ hour, region: where, values, spreads }, i) =>
      hourRow(
        { hour, region: where },
        { ...values, onlineSeconds: (values['onlineSeconds'] ?? 0) + open[i]! },
        spreads ?? {},
      ),
    ),
  };
}

/** What shifts that go on have had of each of these hours, until the last fact that has come. */
async function openShiftSeconds(
  db: Queryable,
  hours: readonly { readonly hour: string; readonly region: string }[],
): Promise<number[]> {
  const { rows } = await db.query<{ seconds: number }>({
    name: 'analytics-open-shifts',
    // greatest() passes over a null: what has no shift would be one of the whole hour.
    text: `select coalesce(round(sum(least(now_is, h.ms + $3) - greatest(s.online_ms, now_is - $4, h.ms))
               filter (where s.online_ms is not null) / 1000), 0)::bigint as seconds
           from unnest($1::bigint[], $2::text[]) with ordinality as h (ms, region, place)
           cross join (select coalesce(max(latest_ms), 0) as now_is from event_times) as latest
           left join shifts s on s.region = h.region and s.online_ms < h.ms + $3
             and now_is > greatest(s.online_ms, h.ms) and h.ms + $3 > now_is - $4
           group by place order by place`,
    values: [
      ...[hours.map(({ hour }) => Date.parse(hour)), hours.map(({ region }) => region)],
      ...[HOUR_MS, LONGEST_MS],
    ],
  });
  return rows.map(({ seconds }) => seconds);
}

function hourRow(
  { hour, region }: { readonly hour: string; readonly region: string },
  values: Readonly<Record<string, number>>,
  spreads: Readonly<Record<string, { seconds: number; count: number }[]>>,
): HourRow {
  const count = (name: string): number => values[name] ?? 0;
  const revenue = Object.entries(values).filter(([name]) => name.startsWith('revenueMinor:'));
  const [busySeconds, onlineSeconds] = [count('busySeconds'), count('onlineSeconds')];
  return {
    hour,
    region: region === '' ? null : region,
    quoted: count('quoted'),
    requested: count('requested'),
    matched: count('matched'),
    completed: count('completed'),
    cancelled: count('cancelled'),
    noDriver: count('noDriver'),
    paymentFailed: count('paymentFailed'),
    revenueMinor: Object.fromEntries(revenue.map(([name, value]) => [name.split(':')[1]!, value])),
    ...{ busySeconds, onlineSeconds },
    utilization: onlineSeconds === 0 ? null : Math.round((1_000 * busySeconds) / onlineSeconds) / 1_000,
    matchSeconds: percentilesOf(spreads['matchSeconds'] ?? []),
    waitSeconds: percentilesOf(spreads['waitSeconds'] ?? []),
    etaErrorSeconds: percentilesOf(spreads['etaErrorSeconds'] ?? []),
  };
}
