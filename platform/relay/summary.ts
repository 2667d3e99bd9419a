import type { Queryable } from '../postgres';

/** What waits in a database's outbox. */
export interface RelaySummary {
  /** Seconds since the oldest fact that is not in Kafka yet was committed (more exactly: begun to be); 0 where all are. */
  readonly oldestSeconds: number;
  readonly parkedKeys: number;
  readonly parkedFacts: number;
}

/**
 * Of a lane's unpublished facts it looks at the next one of its window, and at the first one behind it by transaction and of
 * each transaction that was under way then, so it costs the same however many there are.
 */
export async function relaySummary(db: Queryable): Promise<RelaySummary> {
  const { rows } = await db.query<RelaySummary>(
    `with lanes as materialized (
       select lane, from_snapshot, to_snapshot, last_id, coalesce(to_snapshot, from_snapshot) as reached,
         case when floor ->> 'of' = to_snapshot::text then (floor ->> 'id')::bigint end as window_ends
       from relay_lanes
     ), unpublished as (
       (select o.recorded_at from lanes l cross join lateral (
          select recorded_at from outbox where lane = l.lane and id > l.last_id and (l.window_ends is null or id <= l.window_ends)
            and pg_visible_in_snapshot(xid, l.to_snapshot) and not pg_visible_in_snapshot(xid, l.from_snapshot)
          order by id limit 1
        ) as o where l.to_snapshot is not null)
       union all
       (select o.recorded_at from lanes l cross join lateral (
          select recorded_at from outbox where lane = l.lane and xid >= pg_snapshot_xmax(l.reached) order by xid limit 1
        ) as o)
       union all
       (select o.recorded_at from lanes l cross join lateral pg_snapshot_xip(l.reached) as under_way (xid)
          cross join lateral (
            select recorded_at from outbox where lane = l.lane and xid = under_way.xid limit 1
          ) as o)
     )
     select (select coalesce(extract(epoch from clock_timestamp() - min(recorded_at)), 0)::float8 from unpublished)
         as "oldestSeconds",
       (select count(*) from parked_keys) as "parkedKeys",
       (select count(*) from parked_facts) as "parkedFacts"`,
  );
  return rows[0]!;
}
