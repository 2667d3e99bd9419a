import { randomUUID } from 'node:crypto';
import type { Pool } from '../../platform/postgres';
import { attemptOf, createAttemptLog } from '../../services/payments/provider/attempts';
import { dropOld, firstUuidOf, keepForAWhile, KEPT_MS } from '../../services/payments/provider/retention';
import { quiet } from '../support/backbone';
import { paymentsDatabase } from '../support/payments';
import { eventually } from '../support/rideSaga';

let pool: Pool;
beforeAll(async () => void (pool = await paymentsDatabase()));
afterAll(() => pool?.end());

const MINUTE_MS = 60_000;

/** An attempt and an event of so long ago. */
async function kept(agoMs: number): Promise<{ attemptId: string; eventId: string }> {
  const at = new Date(Date.now() - agoMs);
  const attemptId = firstUuidOf(at).replace(/.{12}$/, randomUUID().slice(-12));
  const attempts = createAttemptLog({ pool, log: quiet });
  attempts.note({ ...attemptOf('POST', '/v1/refunds', null), attemptId, at: at.toISOString() });
  await attempts.run(AbortSignal.abort());
  const eventId = `evt_${randomUUID()}`;
  await pool.query(
    `insert into provider_events (event_id, type, object_id, created_at, received_at) values ($1, 'x', 'x', $2, $2)`,
    [eventId, at.toISOString()],
  );
  return { attemptId, eventId };
}

const left = async () => {
  const { rows } = await pool.query<{ id: string }>(
    'select attempt_id::text as id from provider_attempts union all select event_id from provider_events',
  );
  return rows.map(({ id }) => id).sort();
};

test('attempts and events are kept for 180 days, and dropped however many are older', async () => {
  const young = await kept(KEPT_MS - MINUTE_MS);
  await kept(KEPT_MS + MINUTE_MS);
  await pool.query(
    `insert into provider_events (event_id, type, object_id, created_at, received_at)
     select 'evt_old_' || n, 'x', 'x', now(), now() - make_interval(days => 181) from generate_series(1, 2500) as n`,
  );
  expect(await dropOld(pool, Date.now())).toBe(2_502);
  expect(await left()).toEqual([young.attemptId, young.eventId].sort());
  expect(await dropOld(pool, Date.now())).toBe(0);
});

test('the payments process does so from its start on, also when the database was away', async () => {
  const { eventId } = await kept(KEPT_MS + MINUTE_MS);
  const stop = new AbortController();
  let isAway = true;
  const query = (text: string, values: unknown[]): Promise<unknown> => {
    if (!isAway) return pool.query(text, values);
    isAway = false;
    return Promise.reject(new Error('the database is away'));
  };
  const db = { query } as unknown as Pool;
  const running = keepForAWhile(db, { signal: stop.signal, log: quiet });
  await eventually(async () => !(await left()).includes(eventId) || undefined);
  stop.abort();
  await running;
});
