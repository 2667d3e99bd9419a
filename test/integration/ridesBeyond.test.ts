import { v7 as uuidv7 } from 'uuid';
import { standardPolicies } from '../../domain/policies';
import { stuckBounds } from '../../domain/stuck';
import { createPool, type Pool } from '../../platform/postgres';
import { ridesBeyond } from '../../services/rides/store';
import { createDatabase } from '../support/servers';

let pool: Pool;
beforeAll(async () => {
  pool = createPool(await createDatabase('rides'), { applicationName: 'test' });
}, 60_000);
beforeEach(() => pool.query('truncate rides'));
afterAll(() => pool?.end());

// Half past a minute.
const now = Math.floor(Date.now() / 60_000) * 60_000 + 30_000;
const bounds = stuckBounds(new Date(now).toISOString(), standardPolicies);
const minutes = (count: number): string => new Date(now + count * 60_000).toISOString();

async function write(state: { status: string; [time: string]: string }): Promise<string> {
  const rideId = uuidv7();
  const whole = { rideId, riderId: 'rider-1', requestedAt: minutes(-600), ...state };
  await pool.query('insert into rides (ride_id, version, state) values ($1, 1, $2)', [rideId, whole]);
  return rideId;
}

const beyond = async (limit = 100): Promise<string[]> =>
  (await ridesBeyond(pool, bounds, limit)).map(({ rideId }) => rideId);

test('each status by its own time, those that are late the longest first, and so many', async () => {
  // Due twenty minutes before its pickup, and two minutes late then.
  const late = await write({ status: 'scheduled', scheduledFor: minutes(17.5) });
  const later = await write({ status: 'scheduled', scheduledFor: minutes(10) });
  await write({ status: 'scheduled', scheduledFor: minutes(18.5) });
  await write({ status: 'assigned', assignedAt: minutes(-44) });
  const atPickup = await write({ status: 'arrived', arrivedAt: minutes(-100) });
  await write({ status: 'completed', startedAt: minutes(-500) });
  expect(await beyond()).toEqual([atPickup, later, late]);
  expect(await beyond(2)).toEqual([atPickup, later]);
});

test('times as callers write them, with fewer or more digits than ours', async () => {
  const minute = minutes(18).slice(0, 'yyyy-mm-ddThh:mm'.length);
  const expected = [
    await write({ status: 'scheduled', scheduledFor: `${minute}Z` }),
    await write({ status: 'scheduled', scheduledFor: `${minute}:01Z` }),
    await write({ status: 'scheduled', scheduledFor: `${minute}:02.000000Z` }),
  ];
  expect(await beyond()).toEqual(expected);
});

test('only what can be stuck is read, and of rides for later only those that are due', async () => {
  await pool.query(
    `insert into rides (ride_id, version, state)
     select overlay($1::text placing lpad(to_hex(i), 8, '0') from 29)::uuid, 1, jsonb_build_object(
       'riderId', 'rider-1', 'requestedAt', $2::text, 'padding', repeat('x', 200),
       'status', case when i % 100 < 90 then 'completed' when i % 1000 < 995 then 'scheduled' else 'assigned' end,
       'scheduledFor', to_char(now() at time zone 'UTC' + make_interval(mins => i % 40000), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
     from generate_series(1, 60000) as i`,
    [uuidv7(), minutes(0)],
  );
  await pool.query('analyze rides');
  let plan = '';
  const explain = {
    async query({ text, values }: { text: string; values: unknown[] }) {
      const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      return { rows: [] };
    },
  };
  await ridesBeyond(explain as never, bounds, 500);
  const { rows } = await pool.query<{ partition: string }>(
    'select distinct tableoid::regclass::text as partition from rides',
  );
  expect(rows).toHaveLength(1);
  expect(plan).not.toContain(`Seq Scan on ${rows[0]!.partition}`);
  expect(plan).toMatch(/Index Cond: .*scheduledFor/);
});
