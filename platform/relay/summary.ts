import type { Queryable } from '../postgres';

/** What waits in a database's outbox. */
export interface RelaySummary {
  /** Seconds since the oldest fact that is not in Kafka yet was committed (more exactly: begun to be); 0 where all are. */
  readonly oldestSeconds: number;
  readonly parkedKeys: number;
  readonly parkedFacts: number;
}

/** Of a lane's unpublished facts it looks at the first by transaction, so it costs the same however many there are. */
export async function relaySummary(db: Queryable): Promise<RelaySummary> {
  const { rows } = await db.query<RelaySummary>(
    `select coalesce(extract(epoch from clock_timestamp() - min(oldest.recorded_at)), 0)::float8 as "oldestSeconds",
       (select count(*) from parked_keys) as "parkedKeys",
       (select count(*) from parked_facts) as "parkedFacts"
     from relay_lanes l cross join lateral (
       select o.recorded_at from outbox o where o.lane = l.lane and o.xid >= pg_snapshot_xmin(l.from_snapshot)
         and not pg_visible_in_snapshot(o.xid, l.from_snapshot)
         and (l.to_snapshot is null or o.id > l.last_id or not pg_visible_in_snapshot(o.xid, l.to_snapshot))
       order by o.xid limit 1
     ) as oldest`,
  );
  return rows[0]!;
}
