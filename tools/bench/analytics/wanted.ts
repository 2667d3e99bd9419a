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
  | { readonly of: 'spread'; readonly name: string }
  | { readonly of: 'seconds'; readonly name: string; readonly fromMs: number; readonly untilMs: number };

const floored = (atMs: number, ms: number): string => new Date(Math.floor(atMs / ms) * ms).toISOString();

/** What analytics has to hold, each figure by its name and place. */
export class Wanted {
  private readonly figures = new Map<string, number>();
  /** Where whoever asked last did, by the place that a rider's hash gives. */
  private readonly askers = new Map<number, { readonly cell: string; readonly atMs: number }>();

  add(effect: Effect, atMs: number): void {
    switch (effect.of) {
      case 'demand':
        return this.count(`${effect.what} ${effect.cell} ${floored(atMs, 60_000)}`, 1);
      case 'hour': {
        const region = cellToParent(effect.cell, 5);
        return this.count(`${effect.name} ${region} ${floored(effect.atMs, 3_600_000)}`, effect.value);
      }
      case 'asker': {
        const place = createHash('sha256').update(effect.riderId).digest().readUInt32BE(0) >>> 10;
        const last = this.askers.get(place);
        if (last === undefined || atMs > last.atMs || (atMs === last.atMs && effect.cell > last.cell))
          this.askers.set(place, { cell: effect.cell, atMs });
        return;
      }
      case 'spread':
        return this.count(effect.name, 1);
      case 'seconds':
        return this.count(
          effect.name,
          Math.round(effect.untilMs / 1_000) - Math.round(effect.fromMs / 1_000),
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
       select name || ' ' || region || ' ' || ${iso('hour')}, value from hours where name not like '%Seconds'
       union all
       select name, sum(value)::bigint from hours where name like '%Seconds' group by name
       union all
       select name, sum(count)::bigint from spreads group by name
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
    this.figures.set(figure, (this.figures.get(figure) ?? 0) + value);
  }
}

const iso = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
