import type { Ride, RideFact, RideStatus } from '../../domain/ride';
import type { StuckBound } from '../../domain/stuck';
import type { Queryable, Tx } from '../../platform/postgres';

/** The ride as committed, or null where there is none. */
export async function getRide(db: Queryable, rideId: string): Promise<Ride | null> {
  const { rows } = await db.query<{ state: Ride }>({
    name: 'ride-get',
    text: 'select state from rides where ride_id = $1',
    values: [rideId],
  });
  return rows[0]?.state ?? null;
}

/** The ride as committed, its row locked until the transaction ends. */
export async function lockRide(tx: Tx, rideId: string): Promise<Ride | null> {
  const { rows } = await tx.query<{ state: Ride }>({
    name: 'ride-lock',
    text: 'select state from rides where ride_id = $1 for update',
    values: [rideId],
  });
  return rows[0]?.state ?? null;
}

/**
 * Writes the ride's new state over the version before it.
 * @throws Error where the version is another one: the caller holds the row's lock, so that cannot be
 */
export async function putRide(tx: Tx, ride: Ride): Promise<void> {
  const { rowCount } = await tx.query({
    name: 'ride-put',
    text: `insert into rides (ride_id, version, state) values ($1, $2, $3)
           on conflict (ride_id) do update set version = excluded.version, state = excluded.state, updated_at = now()
           where rides.version = excluded.version - 1`,
    values: [ride.rideId, ride.version, JSON.stringify(ride)],
  });
  if (rowCount !== 1)
    throw new Error(`impossible: ride ${ride.rideId} was not at version ${ride.version - 1}`);
}

/** All facts of some rides, in order from the first: what event streams tell. */
export async function rideFactsOf(
  db: Queryable,
  rideIds: readonly string[],
): Promise<Map<string, RideFact[]>> {
  const { rows } = await db.query<{ rideId: string; facts: RideFact[] }>({
    name: 'ride-facts',
    text: `select aggregate_id as "rideId", json_agg(fact order by version) as facts from steps
           where aggregate_id = any($1) group by aggregate_id`,
    values: [rideIds],
  });
  return new Map(rows.map(({ rideId, facts }) => [rideId, facts]));
}

/**
 * Rides beyond their status's bound, those that are beyond it the furthest first, at most `limit`. The bounds are on
 * the state's own times: a ride can be changed while it waits, its fare adjusted for one. Each status is asked for by
 * itself, by its name: joined with a list of them, Postgres expects a share of all rides ever and reads them all.
 */
export async function ridesBeyond(
  db: Queryable,
  bounds: readonly StuckBound[],
  limit: number,
): Promise<Ride[]> {
  const { rows } = await db.query<{ state: Ride }>({
    text: `select state from (${bounds.map(beyondOne).join(' union all ')}) as beyond order by by desc limit $1`,
    values: [limit, ...bounds.flatMap(({ before }) => [before, aMinuteAfter(before)])],
  });
  return rows.map(({ state }) => state);
}

/** The comparison as text is what the index of scheduled rides knows. */
function beyondOne({ status, since }: StuckBound, index: number): string {
  const waitsSince = `coalesce(state ->> '${since}', state ->> 'requestedAt')`;
  const [before, minuteAfter] = [`$${2 * index + 2}::timestamptz`, `$${2 * index + 3}::text`];
  return `(select state, ${before} - (${waitsSince})::timestamptz as by from rides
           where status = '${status}' and ${waitsSince} collate "C" < ${minuteAfter}
             and (${waitsSince})::timestamptz < ${before}
           order by by desc limit $1)`;
}

/**
 * A time that a caller gave may lack seconds, or have more digits than ours: by less than a minute their texts mislead.
 */
const aMinuteAfter = (time: string): string => new Date(Date.parse(time) + 60_000).toISOString();

/** The newest rides that are in one of these statuses, each asked for by its name: see `ridesBeyond`. */
export async function ridesIn(
  db: Queryable,
  statuses: readonly RideStatus[],
  limit: number,
): Promise<Ride[]> {
  const one = (status: RideStatus): string =>
    `(select ride_id, state from rides where status = '${status}' order by ride_id desc limit $1)`;
  const { rows } = await db.query<{ state: Ride }>({
    text: `select state from (${statuses.map(one).join(' union all ')}) as newest order by ride_id desc limit $1`,
    values: [limit],
  });
  return rows.map(({ state }) => state);
}

/** How many rides there are in each status, and drivers in each state. */
export async function cityOverview(db: Queryable): Promise<{
  ridesByStatus: Record<string, number>;
  drivers: { online: number; onRide: number; offline: number };
}> {
  const rides = await db.query<{ status: string; count: number }>(
    'select status, count(*) as count from rides group by status',
  );
  const drivers = await db.query<{ online: number; onRide: number; offline: number }>(
    `select count(*) filter (where online and ride_id is null) as online,
            count(*) filter (where ride_id is not null) as "onRide",
            count(*) filter (where not online and ride_id is null) as offline
     from drivers`,
  );
  return {
    ridesByStatus: Object.fromEntries(rides.rows.map((row) => [row.status, row.count])),
    drivers: drivers.rows[0]!,
  };
}

/** Makes the partitions of this month and the next ones; done at every start and once a day. */
export async function ensureRidePartitions(db: Queryable): Promise<void> {
  await db.query('select ensure_ride_partitions(3)');
}
