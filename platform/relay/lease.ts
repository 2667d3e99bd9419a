import type { Pool } from 'pg';
import type { Holding } from './position';

/** A lane is its owner's for so long after each beat; a process that misses it for longer loses its lanes. */
export const leaseMs = 3_000;
/** How often members say that they are there. */
export const beatMs = 1_000;

/**
 * Says that the member is there, keeps its lanes, and takes free ones up to its share, which is what there are divided
 * by the members seen of late. What it has above its share it has to give up itself (`giveUp`), once it has left it.
 * One round trip, as whoever relays a backlog has no time for more.
 * @returns the lanes that are the member's now, and how many of them it may keep
 */
export async function beat(pool: Pool, member: string): Promise<{ held: Holding[]; share: number }> {
  const { rows } = await pool.query<Holding & { share: number }>({
    name: 'relay-beat',
    text: `select held_lane as lane, held_epoch as epoch, my_share as share from relay_beat($1, $2)`,
    values: [member, `${leaseMs} milliseconds`],
  });
  return { held: rows.map(({ lane, epoch }) => ({ lane, epoch })), share: rows[0]?.share ?? 0 };
}

/** Frees a lane at once, so that another member takes it with its next beat. */
export async function giveUp(pool: Pool, { lane, epoch }: Holding): Promise<void> {
  await pool.query(`update relay_lanes set leased_until = '-infinity' where lane = $1 and epoch = $2`, [
    lane,
    epoch,
  ]);
}

/** Forgets a member that ends, so that the others take its share. */
export async function leave(pool: Pool, member: string): Promise<void> {
  await pool.query('delete from relay_members where member = $1', [member]);
}
