import type { Tx } from '../../platform/postgres';
import { arrayOf } from '../../platform/postgresArray';
import { bucketOf } from './spread';

const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** What is counted in a cell and minute. */
const demandCounts = ['requested', 'completed', 'cancelled', 'noDriver', 'assigned', 'freed'] as const;
export type DemandCount = (typeof demandCounts)[number];

/** What is summed up by region and hour; revenue by currency. */
export type HourCount =
  | 'quoted'
  | 'requested'
  | 'matched'
  | 'completed'
  | 'cancelled'
  | 'noDriver'
  | 'paymentFailed'
  | 'busySeconds'
  | 'onlineSeconds'
  | `revenueMinor:${string}`;

export type SpreadName = 'matchSeconds' | 'waitSeconds' | 'etaErrorSeconds';

/** Of what is said to have lasted longer the last week counts: a wrong clock would make millions of hours. */
export const LONGEST_MS = 7 * 24 * HOUR_MS;

const hourOf = (atMs: number): number => Math.floor(atMs / HOUR_MS) * HOUR_MS;

/** The map within a map that a key leads to, made where there is none. */
function within<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let inner = map.get(key);
  if (inner === undefined) map.set(key, (inner = new Map<L, V>()));
  return inner;
}

const addAt = <K>(map: Map<K, number>, key: K, value: number): void =>
  void map.set(key, (map.get(key) ?? 0) + value);

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * What a batch of facts adds to the sums, which is written in three statements. Adding has no order: partitions may be
 * read in any, and each row is what all facts add up to.
 */
export class Sums {
  /** By minute and cell: each of `demandCounts`. */
  private readonly demand = new Map<number, Map<string, number[]>>();
  /** By hour, region and name. */
  private readonly hours = new Map<number, Map<string, Map<HourCount, number>>>();
  /** By hour, region, name and bucket: how many. */
  private readonly spreads = new Map<number, Map<string, Map<SpreadName, Map<number, number>>>>();

  count(what: DemandCount, cell: string, atMs: number): void {
    const cells = within(this.demand, Math.floor(atMs / MINUTE_MS) * MINUTE_MS);
    let counts = cells.get(cell);
    if (counts === undefined) cells.set(cell, (counts = demandCounts.map(() => 0)));
    counts[demandCounts.indexOf(what)]! += 1;
  }

  add(name: HourCount, region: string, atMs: number, value = 1): void {
    addAt(within(within(this.hours, hourOf(atMs)), region), name, value);
  }

  /** Whole seconds between two times, in the hours that they fall into; the last `LONGEST_MS` of them. */
  addTime(name: 'busySeconds' | 'onlineSeconds', region: string, fromMs: number, toMs: number): void {
    for (let at = Math.max(fromMs, toMs - LONGEST_MS); at < toMs; at = hourOf(at) + HOUR_MS) {
      const end = Math.min(toMs, hourOf(at) + HOUR_MS);
      this.add(name, region, at, Math.round(end / 1_000) - Math.round(at / 1_000));
    }
  }

  spread(name: SpreadName, region: string, atMs: number, seconds: number): void {
    addAt(within(within(within(this.spreads, hourOf(atMs)), region), name), bucketOf(seconds), 1);
  }

  /** In one order for everybody: batches of other partitions wait for the same rows instead of for each other. */
  async write(tx: Tx): Promise<void> {
    await this.writeDemand(tx);
    await this.writeHours(tx);
    await this.writeSpreads(tx);
  }

  private async writeDemand(tx: Tx): Promise<void> {
    const rows = [...this.demand].flatMap(([minute, cells]) =>
      [...cells].map(([cell, counts]) => ({ minute, cell, counts })),
    );
    if (rows.length === 0) return;
    await tx.query({
      name: 'analytics-demand',
      text: `insert into demand as d (minute, cell, requested, completed, cancelled, no_driver, assigned, freed)
             select * from unnest($1::timestamptz[], $2::text[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[],
                 $8::int[]) as change (minute, cell, requested, completed, cancelled, no_driver, assigned, freed)
             order by minute, cell
             on conflict (minute, cell) do update set
               requested = d.requested + excluded.requested,
               completed = d.completed + excluded.completed,
               cancelled = d.cancelled + excluded.cancelled,
               no_driver = d.no_driver + excluded.no_driver,
               assigned = d.assigned + excluded.assigned,
               freed = d.freed + excluded.freed`,
      values: [
        arrayOf(rows.map(({ minute }) => iso(minute))),
        arrayOf(rows.map(({ cell }) => cell)),
        ...demandCounts.map((_, i) => arrayOf(rows.map(({ counts }) => counts[i]!))),
      ],
    });
  }

  private async writeHours(tx: Tx): Promise<void> {
    const rows = [...this.hours].flatMap(([hour, regions]) =>
      [...regions].flatMap(([region, names]) =>
        [...names].map(([name, value]) => ({ hour, region, name, value })),
      ),
    );
    if (rows.length === 0) return;
    await tx.query({
      name: 'analytics-hours',
      text: `insert into hours as h (hour, region, name, value)
             select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::bigint[])
               as change (hour, region, name, value)
             order by hour, region, name
             on conflict (hour, region, name) do update set value = h.value + excluded.value`,
      values: [
        arrayOf(rows.map(({ hour }) => iso(hour))),
        arrayOf(rows.map(({ region }) => region)),
        arrayOf(rows.map(({ name }) => name)),
        arrayOf(rows.map(({ value }) => value)),
      ],
    });
  }

  private async writeSpreads(tx: Tx): Promise<void> {
    const rows = [...this.spreads].flatMap(([hour, regions]) =>
      [...regions].flatMap(([region, names]) =>
        [...names].flatMap(([name, buckets]) =>
          [...buckets].map(([seconds, count]) => ({ hour, region, name, seconds, count })),
        ),
      ),
    );
    if (rows.length === 0) return;
    await tx.query({
      name: 'analytics-spreads',
      text: `insert into spreads as s (hour, region, name, seconds, count)
             select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::int[], $5::bigint[])
               as change (hour, region, name, seconds, count)
             order by hour, region, name, seconds
             on conflict (hour, region, name, seconds) do update set count = s.count + excluded.count`,
      values: [
        arrayOf(rows.map(({ hour }) => iso(hour))),
        arrayOf(rows.map(({ region }) => region)),
        arrayOf(rows.map(({ name }) => name)),
        arrayOf(rows.map(({ seconds }) => seconds)),
        arrayOf(rows.map(({ count }) => count)),
      ],
    });
  }
}
