import type { DemandView } from '../../contracts/api/ops';
import type { Queryable, Tx } from '../../platform/postgres';

/** What is counted in a cell and minute. */
export type DemandCount = 'requested' | 'completed' | 'cancelled' | 'noDriver';

/** What a batch adds to one cell and minute. */
export type DemandChange = Readonly<Record<DemandCount, number>> & {
  readonly cell: string;
  /** The minute's start, ISO 8601 UTC. */
  readonly minute: string;
};

/** Remembers in which cell rides were requested: ride id to cell. */
export async function rememberCells(tx: Tx, cells: ReadonlyMap<string, string>): Promise<void> {
  if (cells.size === 0) return;
  await tx.query({
    name: 'analytics-remember-cells',
    text: `insert into ride_cells (ride_id, cell) select * from unnest($1::uuid[], $2::text[])
           on conflict (ride_id) do update set cell = excluded.cell`,
    values: [[...cells.keys()], [...cells.values()]],
  });
}

/** The cells of those of the rides that are known and have not ended. */
export async function cellsOf(tx: Tx, rideIds: readonly string[]): Promise<Map<string, string>> {
  if (rideIds.length === 0) return new Map();
  const { rows } = await tx.query<{ rideId: string; cell: string }>({
    name: 'analytics-cells',
    text: 'select ride_id as "rideId", cell from ride_cells where ride_id = any ($1::uuid[])',
    values: [rideIds],
  });
  return new Map(rows.map(({ rideId, cell }) => [rideId, cell]));
}

/** Rides that have ended are counted no more. */
export async function forgetCells(tx: Tx, rideIds: readonly string[]): Promise<void> {
  if (rideIds.length === 0) return;
  await tx.query({
    name: 'analytics-forget-cells',
    text: 'delete from ride_cells where ride_id = any ($1::uuid[])',
    values: [rideIds],
  });
}

/** Adds to the counts, one statement for all; each cell and minute may occur once. */
export async function addDemand(tx: Tx, changes: readonly DemandChange[]): Promise<void> {
  if (changes.length === 0) return;
  const column = <K extends keyof DemandChange>(name: K) => changes.map((change) => change[name]);
  await tx.query({
    name: 'analytics-add',
    // In one order for everybody: batches of other partitions wait for the same rows instead of for each other.
    text: `insert into demand as d (minute, cell, requested, completed, cancelled, no_driver)
           select * from unnest($1::timestamptz[], $2::text[], $3::int[], $4::int[], $5::int[], $6::int[])
             as change (minute, cell, requested, completed, cancelled, no_driver)
           order by minute, cell
           on conflict (minute, cell) do update set
             requested = d.requested + excluded.requested,
             completed = d.completed + excluded.completed,
             cancelled = d.cancelled + excluded.cancelled,
             no_driver = d.no_driver + excluded.no_driver`,
    values: [
      column('minute'),
      column('cell'),
      column('requested'),
      column('completed'),
      column('cancelled'),
      column('noDriver'),
    ],
  });
}

export interface DemandRange {
  /** ISO 8601; minutes that start at or after it. */
  readonly from?: string | undefined;
  /** ISO 8601; minutes that start before it. */
  readonly to?: string | undefined;
  readonly limit: number;
}

/** The newest minutes first, in each the busiest cells first. */
export async function readDemand(db: Queryable, range: DemandRange): Promise<DemandView> {
  const { rows } = await db.query<DemandView['cells'][number]>({
    name: 'analytics-read',
    text: `select cell, minute, requested, completed, cancelled, no_driver as "noDriver" from demand
           where minute >= coalesce($1::timestamptz, '-infinity') and minute < coalesce($2::timestamptz, 'infinity')
           order by minute desc, requested desc, cell limit $3`,
    values: [range.from ?? null, range.to ?? null, range.limit],
  });
  return { cells: rows };
}
