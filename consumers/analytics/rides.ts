import type { Tx } from '../../platform/postgres';
import { arrayOf } from '../../platform/postgresArray';

/** What is remembered of a ride until it ends. Times are milliseconds since 1970; null where they have not come. */
export interface RideUnderWay {
  /** Of the pickup, as it was asked for last. */
  cell: string;
  dropoffCell: string | null;
  /** Null: for later, or asked for before this was kept. */
  requestedMs: number | null;
  durationSeconds: number | null;
  /** When its present driver took it. */
  assignedMs: number | null;
  startedMs: number | null;
  /** Whether a driver ever took it. */
  matched: boolean;
}

/** In the order of the statement that writes them. */
const columnNames = [
  'cell',
  'dropoffCell',
  'requestedMs',
  'durationSeconds',
  'assignedMs',
  'startedMs',
  'matched',
] as const;

/** The rides of a batch of facts: read at once, changed in memory, written at once. */
export class Rides {
  private readonly changed = new Set<string>();

  private constructor(
    private readonly stored: ReadonlySet<string>,
    private readonly rides: Map<string, RideUnderWay>,
  ) {}

  static async of(tx: Tx, rideIds: readonly string[]): Promise<Rides> {
    if (rideIds.length === 0) return new Rides(new Set(), new Map());
    const { rows } = await tx.query<RideUnderWay & { rideId: string }>({
      name: 'analytics-rides',
      text: `select ride_id as "rideId", cell, dropoff_cell as "dropoffCell", requested_ms as "requestedMs",
               duration_seconds as "durationSeconds", assigned_ms as "assignedMs", started_ms as "startedMs", matched
             from ride_cells where ride_id = any ($1::uuid[])`,
      values: [arrayOf(rideIds)],
    });
    const rides = new Map(rows.map((ride) => [ride.rideId, ride]));
    return new Rides(new Set(rides.keys()), rides);
  }

  get(rideId: string): RideUnderWay | undefined {
    return this.rides.get(rideId);
  }

  put(rideId: string, ride: RideUnderWay): void {
    this.rides.set(rideId, ride);
    this.changed.add(rideId);
  }

  end(rideId: string): void {
    this.rides.delete(rideId);
    this.changed.add(rideId);
  }

  /** Those that began and ended within the batch are never written. */
  async write(tx: Tx): Promise<void> {
    const open = [...this.changed].filter((rideId) => this.rides.has(rideId));
    const over = [...this.changed].filter((rideId) => !this.rides.has(rideId) && this.stored.has(rideId));
    if (over.length > 0)
      await tx.query({
        name: 'analytics-rides-over',
        text: 'delete from ride_cells where ride_id = any ($1::uuid[])',
        values: [arrayOf(over)],
      });
    if (open.length === 0) return;
    const rides = open.map((id) => this.rides.get(id)!);
    const columns = columnNames.map((name) => arrayOf(rides.map((ride) => ride[name])));
    await tx.query({
      name: 'analytics-rides-open',
      text: `insert into ride_cells
               (ride_id, cell, dropoff_cell, requested_ms, duration_seconds, assigned_ms, started_ms, matched)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::int[], $6::bigint[], $7::bigint[],
               $8::boolean[])
             on conflict (ride_id) do update set
               cell = excluded.cell, dropoff_cell = excluded.dropoff_cell, requested_ms = excluded.requested_ms,
               duration_seconds = excluded.duration_seconds, assigned_ms = excluded.assigned_ms,
               started_ms = excluded.started_ms, matched = excluded.matched`,
      values: [arrayOf(open), ...columns],
    });
  }
}
