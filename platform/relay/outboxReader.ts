import type { Pool } from 'pg';

/** A fact on its way. */
export interface OutboxFact {
  readonly id: number;
  readonly topic: string;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly value: string;
  /** Its key waits for an operator. */
  readonly parked: boolean;
}

/** Facts of a lane that became visible between two snapshots, by the span of their ids. */
export interface Window {
  /** Visible in this snapshot: done with. */
  readonly from: string;
  /** Visible in this one and not in `from`: the window's. */
  readonly to: string;
  /** The window's facts have ids above this one … */
  readonly afterId: number;
  /** … up to this one. */
  readonly lastId: number;
}

/** Facts behind the position that are read at once, of each kind. */
const relayedAtOnce = 5_000;
/** Facts and bytes of values read at once. */
const factsAtOnce = 2_000;
const bytesAtOnce = 4_000_000;

/** What there is for lanes that wait. */
export interface News {
  /** The snapshot up to which lanes without a window have nothing. */
  readonly now: string;
  readonly windows: ReadonlyMap<number, Window>;
  /** Lanes with parked keys whose facts are to be sent after all. */
  readonly released: ReadonlySet<number>;
}

/** What became visible since each lane's snapshot, in one query for all the lanes. */
export async function lookForNews(pool: Pool, lanes: ReadonlyMap<number, string>): Promise<News> {
  const numbers = [...lanes.keys()];
  // Not visible in a snapshot: begun since (at or above its xmax), or under way when it was taken (its xip list).
  const bounds = numbers.map((lane) => lanes.get(lane)!.split(':'));
  const underWay = bounds.flatMap(([, , xip = ''], i) =>
    xip === '' ? [] : xip.split(',').map((xid) => [numbers[i]!, xid] as const),
  );
  const { rows } = await pool.query<{
    now: string;
    news: [number, number, number][] | null;
    released: number[] | null;
  }>({
    name: 'relay-news',
    text: `with bounds as materialized (select pg_current_snapshot() as now),
      fresh as (
        select l.lane, o.id from bounds, unnest($1::smallint[], $2::xid8[]) as l (lane, xmax)
          cross join lateral (select id, xid from outbox where lane = l.lane and xid >= l.xmax) as o
          where pg_visible_in_snapshot(o.xid, now)
        union all
        select l.lane, o.id from bounds, unnest($3::smallint[], $4::xid8[]) as l (lane, xid)
          cross join lateral (select id, xid from outbox where lane = l.lane and xid = l.xid) as o
          where pg_visible_in_snapshot(o.xid, now)
      ), news as (select lane, min(id) as first_id, max(id) as last_id from fresh group by lane)
      select now::text, (select json_agg(json_build_array(lane, first_id, last_id)) from news) as news,
        (select json_agg(outbox_lane(key)) from parked_keys where release_asked_at is not null) as released
      from bounds`,
    values: [
      numbers,
      bounds.map(([, xmax]) => xmax),
      underWay.map(([lane]) => lane),
      underWay.map(([, xid]) => xid),
    ],
  });
  const { now, news, released } = rows[0]!;
  const windows = new Map(
    (news ?? []).map(([lane, firstId, lastId]) => [
      lane,
      { from: lanes.get(lane)!, to: now, afterId: firstId - 1, lastId },
    ]),
  );
  return { now, windows, released: new Set(released) };
}

/** The next facts of a window, in order of id, which is the order of each key: as many as are sent at once. */
export async function readFacts(pool: Pool, lane: number, window: Window): Promise<OutboxFact[]> {
  const { rows } = await pool.query<OutboxFact>({
    name: 'relay-read-facts',
    text: `select id, page.topic, page.key, headers, value, parked.key is not null as parked from (
        select id, topic, key, headers, value,
          sum(octet_length(value)) over (order by id) - octet_length(value) as bytes_before
        from outbox where lane = $1 and id > $2 and id <= $3
          and pg_visible_in_snapshot(xid, $4) and not pg_visible_in_snapshot(xid, $5)
        order by id limit ${factsAtOnce}
      ) as page left join parked_keys as parked on parked.topic = page.topic and parked.key = page.key
      where bytes_before < ${bytesAtOnce} order by id`,
    values: [lane, window.afterId, window.lastId, window.to, window.from],
  });
  return rows;
}

/** A fact that lies behind a lane's position, still in the outbox. */
export interface RelayedFact {
  readonly topic: string;
  readonly key: string;
  /** As its header says it. */
  readonly sequence: string | null;
}

/** The latest facts behind a lane's position, in no order; some 10,000 at most. */
export async function readRelayed(
  pool: Pool,
  lane: number,
  { from, to, lastId }: { readonly from: string; readonly to: string | null; readonly lastId: number },
): Promise<RelayedFact[]> {
  const { rows } = await pool.query<RelayedFact>(
    `(select topic, key, headers ->> 'ce_sequence' as sequence from outbox
        where lane = $1 and xid < pg_snapshot_xmax($2::pg_snapshot) and pg_visible_in_snapshot(xid, $2)
        order by xid desc limit ${relayedAtOnce})
     union all
     (select topic, key, headers ->> 'ce_sequence' from outbox
        where lane = $1 and id <= $4 and pg_visible_in_snapshot(xid, $3)
        order by id desc limit ${relayedAtOnce})`,
    [lane, from, to, lastId],
  );
  return rows;
}
