import type { Pool } from 'pg';

/** Segments are written in turn, for 15 minutes each; one is empty again long before it is its turn. */
const segments = [0, 1, 2, 3];

/**
 * Gives back the storage of each segment that nobody writes to and whose facts are all in Kafka or parked
 * (`outbox_empty_segment`).
 * @returns the segments that were emptied
 */
export async function emptyPublishedSegments(pool: Pool): Promise<number[]> {
  const emptied: number[] = [];
  for (const segment of segments) {
    const { rows } = await pool.query<{ emptied: boolean }>('select outbox_empty_segment($1) as emptied', [
      segment,
    ]);
    if (rows[0]!.emptied) emptied.push(segment);
  }
  return emptied;
}
