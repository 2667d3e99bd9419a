import type { Pool } from 'pg';
import { withTransaction } from '../postgres';
import type { OutboxFact } from './outboxReader';
import { countSent, type Holding } from './position';
import { publish, type PublishOptions } from './publish';

/** Facts sent at once. */
const pageSize = 500;

/**
 * Sends what waits of the lane's parked keys that are released, each key's facts in order. A fact that is refused again
 * stays parked with what follows it, until it is released once more.
 * @throws LaneLost, and what Postgres says
 */
export async function sendReleased(
  holding: Holding,
  options: PublishOptions & { readonly pool: Pool },
): Promise<void> {
  const { rows: keys } = await options.pool.query<{ topic: string; key: string }>(
    `select topic, key from parked_keys where release_asked_at is not null and outbox_lane(key) = $1
     order by release_asked_at`,
    [holding.lane],
  );
  for (const { topic, key } of keys) while (!(await sendPage(topic, key, holding, options)));
}

/** @returns whether the key is done with: nothing waits any more, or it is parked again. */
async function sendPage(
  topic: string,
  key: string,
  holding: Holding,
  options: PublishOptions & { readonly pool: Pool },
): Promise<boolean> {
  const { rows: facts } = await options.pool.query<OutboxFact>(
    `select outbox_id as id, topic, key, headers, value, false as parked from parked_facts
     where topic = $1 and key = $2 order by place limit ${pageSize}`,
    [topic, key],
  );
  const [refused] = await publish(facts, options);
  const sent = refused
    ? facts.slice(
        0,
        facts.findIndex(({ id }) => id === refused.outboxId),
      )
    : facts;
  const isDone = facts.length < pageSize || refused !== undefined;
  await withTransaction(options.pool, async (tx) => {
    await countSent(tx, holding, sent.length);
    await tx.query(`delete from parked_facts where outbox_id = any ($1)`, [sent.map(({ id }) => id)]);
    if (refused)
      await tx.query(
        `update parked_keys set release_asked_at = null, outbox_id = $3, reason = $4, parked_at = now()
         where topic = $1 and key = $2`,
        [topic, key, refused.outboxId, refused.reason],
      );
    else if (isDone) await tx.query('delete from parked_keys where topic = $1 and key = $2', [topic, key]);
  });
  return isDone;
}
