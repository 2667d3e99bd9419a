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

/** What is known of a lane's ids since a look for news. */
export interface Floor {
  /** The look's snapshot: what is visible in it has ids up to `id`. */
  readonly of: string;
  /** Facts of transactions from this one on have ids above `id`. */
  readonly xid: string;
  readonly id: number;
}

/** Where a lane is that has no window. */
export interface Reached {
  /** All that is visible in this snapshot is done with. */
  readonly from: string;
  /** Of this snapshot or an earlier one; null where nothing is known. */
  readonly floor: Floor | null;
}

/** Facts of a lane that became visible between two snapshots. */
export interface Window {
  /** Visible in this snapshot: done with. */
  readonly from: string;
  /** Visible in this one and not in `from`: the window's. */
  readonly to: string;
  /** The window's facts that are not done with have ids above this one … */
  readonly afterId: number;
  /** … up to that of the floor of `to`, where it is known. */
  readonly floor: Floor | null;
}

/**
 * Postgres' settings of connections that read here: along the index, whatever the planner thinks of a table that is
 * empty most of the time. To sort what is left of a backlog for each page would cost more the more there is.
 */
export const inOrder = { enable_sort: 'off', enable_bitmapscan: 'off', enable_seqscan: 'off' };

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
  /** Lanes whose snapshot this database has yet to reach: what lies above it cannot be told. */
  readonly ahead: ReadonlySet<number>;
}

/**
 * What became visible since each lane's snapshot, in one query for all the lanes, which costs the same however much it is:
 * it is known where ids begin that are new (`Floor`), so only those of transactions that were under way then are asked for.
 */
export async function lookForNews(pool: Pool, lanes: ReadonlyMap<number, Reached>): Promise<News> {
  const numbers = [...lanes.keys()];
  const reached = [...lanes.values()];
  // Not visible in a snapshot: begun since (at or above its xmax), or under way when it was taken (its xip list).
  const bounds = reached.map(({ from }) => from.split(':'));
  const underWay = bounds.flatMap(([, , xip = ''], i) =>
    xip === '' ? [] : xip.split(',').map((xid) => [numbers[i]!, xid] as const),
  );
  // Where there is news it takes an xid of its own: whoever comes later has a higher one, and facts with higher ids. And it
  // has that written down (the message is nobody's to read): a server that crashes does not give it, nor one below it, anew.
  const { rows } = await pool.query<{
    now: string;
    news: [lane: number, firstEarly: number | null, lastId: number][] | null;
    xid: string | null;
    released: number[] | null;
  }>({
    name: 'relay-news',
    text: `with lanes as (select * from unnest($1::smallint[], $2::xid8[], $3::xid8[]) as l (lane, xmax, floor)),
      early as materialized (
        select l.lane, o.id from lanes l
          cross join lateral (select id from outbox where lane = l.lane and xid >= l.xmax and xid < l.floor) as o
        union all
        select l.lane, o.id from unnest($4::smallint[], $5::xid8[]) as l (lane, xid)
          cross join lateral (select id from outbox where lane = l.lane and xid = l.xid) as o
      ), fresh as (
        select lane from early union
        select l.lane from lanes l
          cross join lateral (select from outbox where lane = l.lane and xid >= l.xmax limit 1) as o
      ), news as materialized (
        select f.lane, (select min(id) from early where early.lane = f.lane) as first_early,
          (select id from outbox where lane = f.lane order by id desc limit 1) as last_id
        from fresh f
      )
      select pg_current_snapshot()::text as now,
        (select json_agg(json_build_array(lane, first_early, last_id)) from news) as news,
        case when exists (select from news)
          then (select pg_current_xact_id() from pg_logical_emit_message(true, 'relay', '')) end as xid,
        (select json_agg(outbox_lane(key)) from parked_keys where release_asked_at is not null) as released`,
    values: [
      numbers,
      bounds.map(([, xmax]) => xmax),
      reached.map(({ floor }) => floor?.xid ?? null),
      underWay.map(([lane]) => lane),
      underWay.map(([, xid]) => xid),
    ],
  });
  const { now, news, xid, released } = rows[0]!;
  const windows = new Map(
    (news ?? []).map(([lane, firstEarly, lastId]) => {
      const { from, floor } = lanes.get(lane)!;
      const afterId = floor === null ? 0 : Math.min(floor.id, (firstEarly ?? Infinity) - 1);
      return [lane, { from, to: now, afterId, floor: { of: now, xid: xid!, id: lastId } }];
    }),
  );
  const reachedNow = xmaxOf(now);
  const ahead = numbers.filter((lane) => xmaxOf(lanes.get(lane)!.from) > reachedNow);
  return { now, windows, released: new Set(released), ahead: new Set(ahead) };
}

const xmaxOf = (snapshot: string): bigint => BigInt(snapshot.split(':')[1]!);

/** No fact of the window has a higher id. */
export const lastIdOf = ({ floor }: Window): number => floor?.id ?? Number.MAX_SAFE_INTEGER;

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
    values: [lane, window.afterId, lastIdOf(window), window.to, window.from],
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
