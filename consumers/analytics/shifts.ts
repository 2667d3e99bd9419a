import type { Tx } from '../../platform/postgres';
import { arrayOf } from '../../platform/postgresArray';

/** A driver's shift that has begun: where, and when in milliseconds since 1970. */
export interface Shift {
  readonly region: string;
  readonly onlineMs: number;
}

/** The shifts of a batch's drivers: read at once, changed in memory, written at once. */
export class Shifts {
  private readonly changed = new Set<string>();

  private constructor(private readonly shifts: Map<string, Shift>) {}

  static async of(tx: Tx, driverIds: readonly string[]): Promise<Shifts> {
    if (driverIds.length === 0) return new Shifts(new Map());
    const { rows } = await tx.query<Shift & { driverId: string }>({
      name: 'analytics-shifts',
      text: `select driver_id as "driverId", region, online_ms as "onlineMs" from shifts where driver_id = any ($1)`,
      values: [arrayOf(driverIds)],
    });
    return new Shifts(new Map(rows.map(({ driverId, ...shift }) => [driverId, shift])));
  }

  begin(driverId: string, shift: Shift): void {
    this.shifts.set(driverId, shift);
    this.changed.add(driverId);
  }

  /** The shift that ends; none where nobody knew of it. */
  end(driverId: string): Shift | undefined {
    const shift = this.shifts.get(driverId);
    this.shifts.delete(driverId);
    this.changed.add(driverId);
    return shift;
  }

  async write(tx: Tx): Promise<void> {
    if (this.changed.size === 0) return;
    const on = [...this.changed].filter((driverId) => this.shifts.has(driverId));
    await tx.query({
      name: 'analytics-shifts-write',
      text: `with over as (delete from shifts where driver_id = any ($1) and driver_id <> all ($2))
             insert into shifts (driver_id, region, online_ms)
             select * from unnest($2::text[], $3::text[], $4::bigint[])
             on conflict (driver_id) do update set region = excluded.region, online_ms = excluded.online_ms`,
      values: [
        arrayOf([...this.changed]),
        arrayOf(on),
        arrayOf(on.map((driverId) => this.shifts.get(driverId)!.region)),
        arrayOf(on.map((driverId) => this.shifts.get(driverId)!.onlineMs)),
      ],
    });
  }
}
