import type { Pool } from '../postgres';

/** What relays listen to. */
export const outboxChannel = 'outbox';
/** Commits within this time are told of together: a NOTIFY in each would cost more than half of the transactions. */
const tellEveryMs = 5;
const telling = new WeakMap<Pool, { again: boolean }>();

/** Tells relays that there are facts. Who misses it looks by itself before long, so failing is no trouble. */
export function tellRelay(pool: Pool): void {
  const told = telling.get(pool);
  if (told !== undefined) {
    told.again = true;
    return;
  }
  telling.set(pool, { again: false });
  void pool
    .query(`notify ${outboxChannel}`)
    .catch(() => {})
    .finally(() => {
      setTimeout(() => {
        const { again } = telling.get(pool)!;
        telling.delete(pool);
        if (again) tellRelay(pool);
      }, tellEveryMs).unref();
    });
}
