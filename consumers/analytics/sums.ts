import type { Tx } from '../../platform/postgres';
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

const hourOf = (atMs: number): number => Math.floor(atMs / HOUR_MS) * HOUR_MS;
const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * What a batch of facts adds to the sums, which is written in three statements. Adding has no order: partitions may be
 * read in any, and each row is what all facts add up to.
 */
export class Sums {
  private readonly demand = new Map<string, { minute: number; cell: string; counts: number[] }>();
  private readonly hours = new Map<string, { hour: number; region: string; name: string; value: number }>();
  private readonly spreads = new Map<
    string,
    { hour: number; region: string; name: string; seconds: number; count: number }
  >();

  count(what: DemandCount, cell: string, atMs: number): void {
    const minute = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    const key = `${minute} ${cell}`;
    let row = this.demand.get(key);
    if (row === undefined) this.demand.set(key, (row = { minute, cell, counts: demandCounts.map(() => 0) }));
    row.counts[demandCounts.indexOf(what)]! += 1;
  }

  add(name: HourCount, region: string, atMs: number, value = 1): void {
    const hour = hourOf(atMs);
    const key = `${hour} ${region} ${name}`;
    const row = this.hours.get(key);
    if (row === undefined) this.hours.set(key, { hour, region, name, value });
    else row.value += value;
  }

  /** Whole seconds between two times, in the hours that they fall into. */
  addTime(name: 'busySeconds' | 'onlineSeconds', region: string, fromMs: number, toMs: number): void {
    for (let at = fromMs; at < toMs; at = hourOf(at) + HOUR_MS) {
      const end = Math.min(toMs, hourOf(at) + HOUR_MS);
      this.add(name, region, at, Math.round(end / 1_000) - Math.round(at / 1_000));
    }
  }

  spread(name: SpreadName, region: string, atMs: number, seconds: number): void {
    const [hour, bucket] = [hourOf(atMs), bucketOf(seconds)];
    const key = `${hour} ${region} ${name} ${bucket}`;
    const row = this.spreads.get(key);
    if (row === undefined) this.spreads.set(key, { hour, region, name, seconds: bucket, count: 1 });
    else row.count += 1;
  }

  /** In one order for everybody: batches of other partitions wait for the same rows instead of for each other. */
  async write(tx: Tx): Promise<void> {
    await this.writeDemand(tx);
    await this.writeHours(tx);
    await this.writeSpreads(tx);
  }

  private async writeDemand(tx: Tx): Promise<void> {
    const rows = [...this.demand.values()];
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
        rows.map(({ minute }) => iso(minute)),
        rows.map(({ cell }) => cell),
        ...demandCounts.map((_, i) => rows.map(({ counts }) => counts[i])),
      ],
    });
  }

  private async writeHours(tx: Tx): Promise<void> {
    const rows = [...this.hours.values()];
    if (rows.length === 0) return;
    await tx.query({
      name: 'analytics-hours',
      text: `insert into hours as h (hour, region, name, value)
             select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::bigint[])
               as change (hour, region, name, value)
             order by hour, region, name
             on conflict (hour, region, name) do update set value = h.value + excluded.value`,
      values: [
        rows.map(({ hour }) => iso(hour)),
        rows.map(({ region }) => region),
        rows.map(({ name }) => name),
        rows.map(({ value }) => value),
      ],
    });
  }

  private async writeSpreads(tx: Tx): Promise<void> {
    const rows = [...this.spreads.values()];
    if (rows.length === 0) return;
    await tx.query({
      name: 'analytics-spreads',
      text: `insert into spreads as s (hour, region, name, seconds, count)
             select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::int[], $5::bigint[])
               as change (hour, region, name, seconds, count)
             order by hour, region, name, seconds
             on conflict (hour, region, name, seconds) do update set count = s.count + excluded.count`,
      values: [
        rows.map(({ hour }) => iso(hour)),
        rows.map(({ region }) => region),
        rows.map(({ name }) => name),
        rows.map(({ seconds }) => seconds),
        rows.map(({ count }) => count),
      ],
    });
  }
}
