import type { Pool } from '../../platform/postgres';
import { committedSince } from '../../services/payments/reconciliation/logSteps';
import { pagesOf, xidBefore } from '../../services/payments/reconciliation/pages';
import { paymentsDatabase } from '../support/payments';

let pool: Pool;
beforeAll(async () => void (pool = await paymentsDatabase()));
afterAll(() => pool.end());

const count = 1_200;
const since = '2026-01-01T00:00:00.000Z';

/** More than a page of it, on both sides of where the number of a transaction gets a digit more. */
beforeAll(() =>
  pool.query(
    `insert into steps (step_id, aggregate_id, version, fact_type, fact, recorded_at, xid)
     select 'step-' || n, gen_random_uuid(), 1, 'payment.opened', '{}', $1::timestamptz + interval '1 hour',
       (9400 + n)::text::xid8
     from generate_series(1, $2::integer) as n`,
    [since, count],
  ),
);

test('every step is read once, in the order of transactions', async () => {
  const xids: number[] = [];
  for await (const page of committedSince(pool, '0')) xids.push(...page.map(({ xid }) => Number(xid)));
  expect(xids).toEqual(Array.from({ length: count }, (_, n) => 9_401 + n));
});

test('every aggregate that has changed is looked at once', async () => {
  const ids: string[] = [];
  for await (const { payment } of pagesOf(pool, { since, resumes: false, again: [] })) ids.push(...payment);
  expect(ids).toHaveLength(count);
  expect(new Set(ids).size).toBe(count);
});

test('the last transaction before a time is the one with the highest number', async () => {
  expect(await xidBefore(pool, '2026-01-01T02:00:00.000Z')).toBe(String(9_400 + count));
});
