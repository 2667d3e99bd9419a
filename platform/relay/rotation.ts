import type { Pool } from 'pg';
import { withTransaction } from '../postgres';

/** Segments are written in turn, for 15 minutes each; one is empty again long before it is its turn. */
const segments = [0, 1, 2, 3];
/** Longer nobody waits for a writer that is still in a segment whose time is over, nor a writer for this. */
const lockTimeoutMs = 100;

/**
 * Gives back the storage of each segment that nobody writes to and whose facts are all in Kafka or parked.
 *
 * A transaction that began while the segment was in use may still add a fact to it. So the segment is locked first, and
 * what it holds is judged in a statement after that, which sees all that was committed before the lock.
 * @returns the segments that were emptied
 */
export async function emptyPublishedSegments(pool: Pool): Promise<number[]> {
  const emptied: number[] = [];
  for (const segment of segments) if (await emptySegment(pool, segment)) emptied.push(segment);
  return emptied;
}

async function emptySegment(pool: Pool, segment: number): Promise<boolean> {
  const table = `outbox_${segment}`;
  const { rows } = await pool.query<{ due: boolean }>(
    `select $1 <> outbox_segment() and exists (select from ${table}) and not ${unpublishedIn(table)} as due`,
    [segment],
  );
  if (!rows[0]!.due) return false;
  try {
    return await withTransaction(pool, async (tx) => {
      await tx.query(`set local lock_timeout = ${lockTimeoutMs}`);
      await tx.query(`lock table only ${table} in access exclusive mode`);
      const { rows: now } = await tx.query<{ unpublished: boolean }>(
        `select ${unpublishedIn(table)} as unpublished`,
      );
      if (now[0]!.unpublished) return false;
      await tx.query(`truncate only ${table}`);
      return true;
    });
  } catch (error) {
    // Somebody is still writing to it: the next time, then.
    if (error instanceof Error && 'code' in error && error.code === '55P03') return false;
    throw error;
  }
}

const unpublishedIn = (table: string): string => `exists (
  select from relay_lanes l cross join lateral (
    select from ${table} o where o.lane = l.lane and o.xid >= pg_snapshot_xmin(l.from_snapshot)
      and not pg_visible_in_snapshot(o.xid, l.from_snapshot) limit 1
  ) as unpublished)`;
