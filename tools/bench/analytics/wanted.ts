import { createHash } from 'node:crypto';
import { cellToParent } from 'h3-js';
import type { Pool } from 'pg';

/** What a fact of the bench is to be counted as, said by whoever made it up. */
export type Effect =
  | { readonly of: 'demand'; readonly what: string; readonly cell: string }
  | {
      readonly of: 'hour';
      readonly name: string;
      readonly cell: string;
      readonly atMs: number;
      readonly value: number;
    }
  | { readonly of: 'asker'; readonly riderId: string; readonly cell: string }
  | {
      readonly of: 'spread';
      readonly name: string;
      readonly cell: string;
      readonly atMs: number;
      readonly seconds: number;
    }
  | {
      readonly of: 'seconds';
      readonly name: string;
      readonly cell: string;
      readonly fromMs: number;
      readonly untilMs: number;
    }
  /** It comes too late for its minute. */
  | { readonly of: 'late' };

const HOUR_MS = 3_600_000;

const floored = (atMs: number, ms: number): string => new Date(Math.floor(atMs / ms) * ms).toISOString();
const hourAndRegion = (cell: string, atMs: number): string =>
  `${cellToParent(cell, 5)} ${floored(atMs, HOUR_MS)}`;

/** Where two digits of a time are kept: up to 255 each second by itself, then 128 buckets to each doubling. */
function bucketOf(seconds: number): number {
  const width = 2 ** Math.max(0, Math.floor(Math.log2(seconds)) - 7);
  return Math.floor(seconds / width) * width;
}

/** What analytics has to hold, each figure by its name and place. */
export class Wanted {
  private readonly figures = new Map<string, number>();
  /** Where whoever asked last did, by the place that a rider's hash gives. */
  private readonly askers = new Map<number, { readonly cell: string; readonly atMs: number }>();

  add(effect: Effect, atMs: number): void {
    switch (effect.of) {
      case 'demand':
        return this.count(`${effect.what} ${effect.cell} ${floored(atMs, 60_000)}`, 1);
      case 'hour':
        return this.count(`${effect.name} ${hourAndRegion(effect.cell, effect.atMs)}`, effect.value);
      case 'asker': {
        const place = createHash('sha256').update(effect.riderId).digest().readUInt32BE(0) >>> 10;
        const last = this.askers.get(place);
        if (last === undefined || atMs > last.atMs || (atMs === last.atMs && effect.cell > last.cell))
          this.askers.set(place, { cell: effect.cell, atMs });
        return;
      }
      case 'spread': {
        const bucket = bucketOf(effect.seconds);
        return this.count(`${effect.name} of ${bucket} ${hourAndRegion(effect.cell, effect.atMs)}`, 1);
      }
      case 'seconds':
        return this.countSeconds(effect);
      case 'late':
        return this.count('late', 1);
    }
  }

  private countSeconds({ name, cell, fromMs, untilMs }: Extract<Effect, { of: 'seconds' }>): void {
    for (let hour = Math.floor(fromMs / HOUR_MS) * HOUR_MS; hour < untilMs; hour += HOUR_MS) {
      const [from, until] = [Math.max(fromMs, hour), Math.min(untilMs, hour + HOUR_MS)];
      this.count(
        `${name} ${hourAndRegion(cell, hour)}`,
        Math.round(until / 1_000) - Math.round(from / 1_000),
      );
    }
  }

  /** Whether the database of a consumer that has been through the log holds just this. */
  async isHeldBy(pool: Pool): Promise<boolean> {
    const { rows } = await pool.query<{ figure: string; value: number }>(
      `select what || ' ' || cell || ' ' || ${iso('minute')} as figure, value::bigint from demand
         cross join lateral (values ('requested', requested), ('completed', completed), ('cancelled', cancelled),
           ('noDriver', no_driver), ('assigned', assigned), ('freed', freed)) as counts (what, value)
         where value <> 0
       union all
       select name || ' ' || region || ' ' || ${iso('hour')}, value from hours where value <> 0
       union all
       select name || ' of ' || seconds || ' ' || region || ' ' || ${iso('hour')}, count from spreads
       union all
       select 'late', sum(late)::bigint from event_times having sum(late) > 0
       union all
       select 'asked last ' || place || ' ' || cell, (extract(epoch from asked_at) * 1000)::bigint from askers`,
    );
    const asked = [...this.askers].map(
      ([place, { cell, atMs }]) => [`asked last ${place} ${cell}`, atMs] as const,
    );
    const wanted = new Map([...this.figures, ...asked]);
    return rows.length === wanted.size && rows.every(({ figure, value }) => wanted.get(figure) === value);
  }

  private count(figure: string, value: number): void {
    if (value !== 0) this.figures.set(figure, (this.figures.get(figure) ?? 0) + value);
  }
}

const iso = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
