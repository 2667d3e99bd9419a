import { codeOf } from '../errors';
import type { Logger } from '../log';
import { withTransaction, type Pool } from '../postgres';

/** Segments are written in turn, for 15 minutes each; one is empty again long before it is its turn. */
const segments = [0, 1, 2, 3];
/** Relays and late writers wait for the lock under which a segment is looked at, and emptied: no longer than this. */
const withinMs = 1_000;
const timedOut = '57014';

/**
 * Gives back the storage of each segment that nobody writes to and whose facts are all in Kafka or parked
 * (`outbox_empty_segment`). One that takes longer than a second is left as it is, for another time.
 * @returns the segments that were emptied
 */
export async function emptyPublishedSegments(pool: Pool, log: Pick<Logger, 'warn'>): Promise<number[]> {
  const emptied: number[] = [];
  for (const segment of segments) {
    try {
      if (await emptySegment(pool, segment)) emptied.push(segment);
    } catch (error) {
      if (codeOf(error) !== timedOut) throw error;
      log.warn({ err: error, segment }, 'a segment of the outbox is not emptied: it takes too long');
    }
  }
  return emptied;
}

const emptySegment = (pool: Pool, segment: number): Promise<boolean> =>
  withTransaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = ${withinMs}`);
    const { rows } = await tx.query<{ emptied: boolean }>('select outbox_empty_segment($1) as emptied', [
      segment,
    ]);
    return rows[0]!.emptied;
  });
