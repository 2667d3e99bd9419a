import type { Pool } from 'pg';
import { withTransaction } from '../postgres';
import type { Floor, OutboxFact } from './outboxReader';

/** Where a lane's relay is between the outbox and Kafka. */
export interface Position {
  /** All that is visible in this snapshot is in Kafka, or parked. */
  readonly from: string;
  /** While set: of what became visible between `from` and this one … */
  readonly to: string | null;
  /** … the facts up to this id are, too. */
  readonly lastId: number;
  /** Of `to`, or of `from` where there is none. */
  readonly floor: Floor | null;
}

/** A lane and the right to move its position: whoever takes the lane next has a higher epoch. */
export interface Holding {
  readonly lane: number;
  readonly epoch: number;
}

/** The lane is somebody else's by now: what was sent may be sent by them once more. */
export class LaneLost extends Error {
  override readonly name = 'LaneLost';

  constructor({ lane, epoch }: Holding) {
    super(`lane ${lane} is no longer held under epoch ${epoch}`);
  }
}

/** A key that waits from this fact on, because Kafka refuses it by itself. */
export interface Parking {
  readonly topic: string;
  readonly key: string;
  readonly outboxId: number;
  readonly reason: string;
}

/** One string for a topic's key: topics have no spaces. */
export const topicKey = ({ topic, key }: { topic: string; key: string }): string => `${topic} ${key}`;

/** The stored position of a lane that is held. @throws LaneLost */
export async function loadPosition(pool: Pool, holding: Holding): Promise<Position> {
  const { rows } = await pool.query<Position>(
    `select from_snapshot as "from", to_snapshot as "to", last_id as "lastId",
       case when floor ->> 'of' = coalesce(to_snapshot, from_snapshot)::text then floor end as floor
     from relay_lanes where lane = $1 and epoch = $2`,
    [holding.lane, holding.epoch],
  );
  if (!rows[0]) throw new LaneLost(holding);
  return rows[0];
}

/** Moves the position of a lane that is held behind `facts` more. @throws LaneLost */
export async function movePosition(
  db: Pick<Pool, 'query'>,
  { lane, epoch }: Holding,
  next: Position,
  facts: number,
): Promise<void> {
  const { rowCount } = await db.query({
    name: 'relay-move-position',
    text: `update relay_lanes set from_snapshot = $3, to_snapshot = $4, last_id = $5, facts = facts + $6, floor = $7,
        moved_at = now()
      where lane = $1 and epoch = $2`,
    values: [lane, epoch, next.from, next.to, next.lastId, facts, next.floor],
  });
  if (rowCount !== 1) throw new LaneLost({ lane, epoch });
}

/** Counts facts that were sent beside the position of a lane that is held. @throws LaneLost */
export async function countSent(
  db: Pick<Pool, 'query'>,
  { lane, epoch }: Holding,
  facts: number,
): Promise<void> {
  const { rowCount } = await db.query(
    'update relay_lanes set facts = facts + $3 where lane = $1 and epoch = $2',
    [lane, epoch, facts],
  );
  if (rowCount !== 1) throw new LaneLost({ lane, epoch });
}

/**
 * The same where keys of these facts are parked, now or before: from the refused one on they wait in `parked_facts`.
 * @throws LaneLost
 */
export async function movePositionAndPark(
  pool: Pool,
  holding: Holding,
  next: Position,
  { facts, parked }: { facts: readonly OutboxFact[]; parked: readonly Parking[] },
): Promise<void> {
  const firstRefused = new Map(parked.map((parking) => [topicKey(parking), parking.outboxId]));
  const waiting = facts.filter(
    (fact) => fact.parked || fact.id >= (firstRefused.get(topicKey(fact)) ?? Infinity),
  );
  await withTransaction(pool, async (tx) => {
    for (const { topic, key, outboxId, reason } of parked)
      await tx.query(`insert into parked_keys (topic, key, outbox_id, reason) values ($1, $2, $3, $4)`, [
        ...[topic, key, outboxId, reason],
      ]);
    for (const { id, topic, key, headers, value } of waiting)
      await tx.query(
        `insert into parked_facts (outbox_id, topic, key, headers, value) values ($1, $2, $3, $4, $5)`,
        [id, topic, key, JSON.stringify(headers), value],
      );
    await movePosition(tx, holding, next, facts.length - waiting.length);
  });
}
