import type { PoolClient } from 'pg';

/** Where a relay is between the outbox and Kafka; stored in `relay_position`. */
export interface Position {
  /** All that is visible in this snapshot is done with. */
  from: string;
  /** While set: what became visible between `from` and this one is being sent, in order of id. */
  to: string | null;
  /** … and up to this id it has been. */
  lastId: number;
}

export interface OutboxRow {
  readonly id: number;
  readonly topic: string;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly value: string;
  /** Its key waits for an operator. */
  readonly parked: boolean;
}

/** A key that waits from this fact on, because Kafka refuses it by itself. */
export interface Parking {
  readonly topic: string;
  readonly key: string;
  readonly outboxId: number;
  readonly reason: string;
}

const positionName = 'kafka';
/** Ids of a batch looked up at once; a backlog is larger. */
export const idsAtOnce = 50_000;

/** One string for a topic's key: topics have no spaces. */
export const place = ({ topic, key }: { topic: string; key: string }): string => `${topic} ${key}`;

/** Takes the session lock of whoever may move the position; false while somebody else has it. */
export async function own(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ owned: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('outbox relay', 0)) as owned`,
  );
  return rows[0]?.owned === true;
}

/** The stored position; before everything when there is none yet. */
export async function loadPosition(client: PoolClient): Promise<Position> {
  // Nothing is visible in the snapshot 1:1:, so the first batch is everything there is.
  await client.query(
    `insert into relay_position (name, from_snapshot) values ($1, '1:1:') on conflict (name) do nothing`,
    [positionName],
  );
  const { rows } = await client.query<Position>(
    `select from_snapshot as "from", to_snapshot as "to", last_id as "lastId" from relay_position where name = $1`,
    [positionName],
  );
  if (!rows[0]) throw new Error('relay position is gone');
  return rows[0];
}

/** The ids between the position's snapshots (the second one is taken now unless it is set), in order. */
export async function unsentIds(
  client: PoolClient,
  position: Position,
): Promise<{ to: string; ids: number[] }> {
  // Not visible in `from`: begun since (at or above its xmax), or under way when it was taken (its xip list).
  const [, xmax = '', xip = ''] = position.from.split(':');
  const { rows } = await client.query<{ to: string; ids: number[] | null }>(
    `with bounds as materialized (select coalesce($1::pg_snapshot, pg_current_snapshot()) as upto),
     fresh as materialized (
       select id, xid from outbox where xid >= $2::xid8
       union all
       select id, xid from outbox where xid = any ($3::xid8[])
     )
     select upto as "to",
       (select json_agg(id order by id) from (
          select id from fresh where pg_visible_in_snapshot(xid, upto) and id > $4 order by id limit $5
        ) as first) as ids
     from bounds`,
    [position.to, xmax, xip === '' ? [] : xip.split(','), position.lastId, idsAtOnce],
  );
  if (!rows[0]) throw new Error('no snapshot');
  return { to: rows[0].to, ids: rows[0].ids ?? [] };
}

/** The facts with these ids, in order. */
export async function readRows(client: PoolClient, ids: number[]): Promise<OutboxRow[]> {
  const { rows } = await client.query<OutboxRow>(
    `select o.id, o.topic, o.key, o.headers, o.value, p.key is not null as parked
     from outbox o left join parked_keys p on p.topic = o.topic and p.key = o.key
     where o.id = any ($1::bigint[]) order by o.id`,
    [ids],
  );
  return rows;
}

/** Moves the position, which must be where we believe it is, together with what was parked on the way. */
export async function storePosition(
  client: PoolClient,
  position: Position,
  next: Position,
  done?: { rows: readonly OutboxRow[]; parked: readonly Parking[] },
): Promise<void> {
  const parkedKeys = new Set(done?.parked.map((p) => place(p)));
  const waiting = done?.rows.filter((row) => row.parked || parkedKeys.has(place(row))) ?? [];
  // A key's facts before the refused one have been sent.
  const first = new Map(done?.parked.map((p) => [place(p), p.outboxId]));
  const parkedFacts = waiting.filter((row) => row.id >= (first.get(place(row)) ?? 0));
  const sent = (done?.rows.length ?? 0) - parkedFacts.length;

  await client.query('begin');
  if (done && parkedFacts.length > 0) {
    for (const { topic, key, outboxId, reason } of done.parked) {
      await client.query(`insert into parked_keys (topic, key, outbox_id, reason) values ($1, $2, $3, $4)`, [
        ...[topic, key, outboxId, reason],
      ]);
    }
    for (const { id, topic, key } of parkedFacts) {
      await client.query(`insert into parked_facts (outbox_id, topic, key) values ($1, $2, $3)`, [
        id,
        topic,
        key,
      ]);
    }
  }
  const { rowCount } = await client.query(
    `update relay_position set from_snapshot = $2, to_snapshot = $3, last_id = $4, facts = facts + $5, moved_at = now()
     where name = $1 and to_snapshot::text is not distinct from $6::text and last_id = $7`,
    [positionName, next.from, next.to, next.lastId, sent, position.to, position.lastId],
  );
  // Impossible as long as the lock is held; the loop starts over from what is stored.
  if (rowCount !== 1) throw new Error('relay position was moved by somebody else');
  await client.query('commit');
  Object.assign(position, next);
}
