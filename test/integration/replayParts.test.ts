import { v7 as uuidv7 } from 'uuid';
import { createInboxDeadLetters } from '../../platform/inbox';
import { eventually, quiet, stopAll } from '../support/backbone';
import { at } from '../support/consumers';
import {
  cityFacts,
  comeToTheSame,
  hashOf,
  rideStory,
  startReplayGround,
  type LiveConsumer,
  type ReplayGround,
} from '../support/replayGround';

/** Replays beside what is put aside, discarded or read meanwhile, and of some rows alone. */

jest.setTimeout(120_000);

let ground: ReplayGround;
let live: Record<'notifications' | 'audit', LiveConsumer>;
let control: LiveConsumer;

beforeAll(async () => {
  ground = await startReplayGround();
  live = { audit: await ground.start('audit'), notifications: await ground.start('notifications') };
  control = await ground.start('notifications', 'notifications-control');
  await ground.send(cityFacts(20));
  await ground.settled();
});
afterAll(async () => {
  await ground?.stop();
  await stopAll();
});

const sameAsControl = (): Promise<void> => comeToTheSame(ground, live.notifications, control);

test('some keys alone, or what happened from a time on: those rows are made anew, and no others', async () => {
  const { pool } = live.notifications;
  const [mine, other] = [uuidv7(), uuidv7()];
  await ground.send([...rideStory(10, mine), ...rideStory(20, other)]);
  await ground.settled();
  const texts = async (rideId: string): Promise<string[]> => {
    const { rows } = await pool.query<{ text: string }>(
      'select text from notifications where ride_id = $1 order by occurred_at, id',
      [rideId],
    );
    return rows.map(({ text }) => text);
  };
  const [right, othersRight] = [await texts(mine), await texts(other)];
  const wrong = (rows: string[]): string[] => rows.map(() => 'wrong');
  const spoil = () =>
    pool.query(`update notifications set text = 'wrong' where ride_id in ($1, $2)`, [mine, other]);

  await spoil();
  expect(await ground.replay('--consumer', 'notifications', '--keys', mine)).toMatchObject({ code: 0 });
  expect(await texts(mine)).toEqual(right);
  expect(await texts(other)).toEqual(wrong(othersRight));

  await spoil();
  // Those of the ride's end alone.
  const from = ['--from', at('14:00:00.000')];
  expect(await ground.replay('--consumer', 'notifications', '--keys', mine, ...from)).toMatchObject({
    code: 0,
  });
  expect(await texts(mine)).toEqual(right.map((text, i) => (i < 3 ? 'wrong' : text)));
  expect(await ground.replay('--consumer', 'notifications', ...from)).toMatchObject({ code: 0 });
  expect((await texts(other)).slice(3)).toEqual(othersRight.slice(3));
  expect((await texts(other)).slice(0, 3)).toEqual(wrong(othersRight).slice(0, 3));

  expect(await ground.replay('--consumer', 'notifications', '--keys', `${mine},${other}`)).toMatchObject({
    code: 0,
  });
  await sameAsControl();
});

/** A consumer's table takes nothing of a ride, for as long as `work` takes: what comes of it is put aside. */
async function refusing<T>(
  { pool }: LiveConsumer,
  check: { table: string; column: string; rideId: string },
  work: () => Promise<T>,
): Promise<T> {
  const { table, column, rideId } = check;
  await pool.query(`alter table ${table} add constraint refused check (${column} <> '${rideId}')`);
  try {
    return await work();
  } finally {
    await pool.query(`alter table ${table} drop constraint refused`);
  }
}

const officeOf = ({ pool, group, projection }: LiveConsumer) =>
  createInboxDeadLetters({
    ...{ pool, group, consumer: projection.name, topicPrefix: ground.prefix, log: quiet },
    ...{ handle: projection.handle, skip: projection.skip },
  });

/** Until a replay waits for whoever reads this table of notifications. */
const waitsFor = (table: string) =>
  eventually(
    () =>
      live.notifications.pool.query(
        `select from pg_locks where mode = 'AccessExclusiveLock' and not granted
           and database = (select oid from pg_database where datname = current_database())
           and relation = 'public.${table}'::regclass`,
      ),
    ({ rowCount }) => rowCount === 1,
    30_000,
  );

test('a switch that meets who reads two of the tables the other way round is tried again', async () => {
  const reader = await live.notifications.pool.connect();
  try {
    await reader.query('begin; select from ride_riders limit 1');
    const replayed = ground.replay('--consumer', 'notifications');
    await waitsFor('ride_riders');
    // The replay has this one; it is the first to look for a deadlock, as it waits the longest.
    await reader.query('select from notifications limit 1');
    await reader.query('rollback');
    expect(await replayed).toMatchObject({ code: 0 });
  } finally {
    reader.release();
  }
  await sameAsControl();
});

test('a dead letter that is replayed beside some rows keeps its effect', async () => {
  const rideId = uuidv7();
  const { pool } = live.notifications;
  const told = async (): Promise<number | null> =>
    (await pool.query('select from notifications where ride_id = $1', [rideId])).rowCount;
  await refusing(live.notifications, { table: 'notifications', column: 'ride_id', rideId }, async () => {
    await ground.send(rideStory(41, rideId));
    await ground.settled();
  });
  expect(await told()).toBe(0);
  const reader = await pool.connect();
  try {
    // The switch waits for whoever reads positions.
    await reader.query('begin; select from inbox_positions limit 1');
    const replayed = ground.replay('--consumer', 'notifications', '--keys', rideId);
    await waitsFor('inbox_positions');
    await officeOf(live.notifications).replay({ topic: 'rides', key: rideId, limit: 1, dryRun: false });
    await officeOf(live.notifications).replay({ topic: 'payments', key: rideId, limit: 1, dryRun: false });
    expect(await told()).toBeGreaterThan(0);
    await reader.query('rollback');
    expect(await replayed).toMatchObject({ code: 1, printed: expect.stringContaining('replayed meanwhile') });
  } finally {
    reader.release();
  }
  await sameAsControl();
  expect(await ground.replay('--consumer', 'notifications', '--keys', rideId)).toMatchObject({ code: 0 });
  await sameAsControl();
});

test('a dead letter that webhooks are to be told of is not lost in a switch: it is named, and to be replayed first', async () => {
  const rideId = uuidv7();
  const { pool } = live.notifications;
  await pool.query(
    `insert into webhook_endpoints (endpoint_id, owner_role, owner_id, url, secret)
     values ($1, 'operator', 'operator-1', 'http://127.0.0.1:9/', 'secret')`,
    [uuidv7()],
  );
  await refusing(live.notifications, { table: 'notifications', column: 'ride_id', rideId }, async () => {
    await ground.send(rideStory(41, rideId));
    await ground.settled();
  });
  const posted = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ factId: string }>(
      'select fact_id as "factId" from deliveries where ride_id = $1',
      [rideId],
    );
    return rows.map(({ factId }) => factId);
  };
  const office = officeOf(live.notifications);
  const { deadLetters } = await office.list({ key: rideId, limit: 10 });
  const before = await hashOf(live.notifications);
  const refused = await ground.replay('--consumer', 'notifications');
  expect(refused).toMatchObject({
    code: 1,
    printed: expect.stringMatching(/posts to webhooks .*hailway dlq/),
  });
  expect(deadLetters).toHaveLength(2);
  for (const { id, factId } of deadLetters)
    expect(refused.printed).toContain(`notifications:${id} (${factId})`);
  expect(await hashOf(live.notifications)).toBe(before);
  expect((await office.list({ key: rideId, limit: 10 })).deadLetters).toEqual(deadLetters);

  expect(await posted()).toEqual([]);
  await office.replay({ key: rideId, limit: 10, dryRun: false });
  expect(await ground.replay('--consumer', 'notifications')).toMatchObject({ code: 0 });
  expect(await posted()).toEqual(
    expect.arrayContaining([`ride.requested/${rideId}/1`, `ride.completed/${rideId}/6`]),
  );
  await sameAsControl();
});

test('what is discarded beside a replay stays discarded: the switch is not made with what was read before', async () => {
  const rideId = uuidv7();
  const { pool } = live.notifications;
  await refusing(live.notifications, { table: 'ride_riders', column: 'ride_id', rideId }, async () => {
    await ground.send(rideStory(42, rideId).filter(({ topic }) => topic === 'rides'));
    await ground.settled();
  });
  const office = officeOf(live.notifications);
  const reader = await pool.connect();
  try {
    // The switch waits for whoever reads positions.
    await reader.query('begin; select from inbox_positions limit 1');
    const replayed = ground.replay('--consumer', 'notifications');
    await waitsFor('inbox_positions');
    await office.discard({ key: rideId, limit: 1, dryRun: false, by: 'operator:a', because: 'a test' });
    await reader.query('rollback');
    expect(await replayed).toMatchObject({
      code: 1,
      printed: expect.stringContaining('discarded meanwhile'),
    });
  } finally {
    reader.release();
  }
  expect(await ground.replay('--consumer', 'notifications')).toMatchObject({ code: 0 });
  expect((await pool.query('select from ride_riders where ride_id = $1', [rideId])).rowCount).toBe(0);
});

test('what the audit store could not take is missing in a replay: it refuses, and names it', async () => {
  const rideId = uuidv7();
  const ofRide = ['--consumer', 'notifications', '--keys', rideId];
  const refused = (state: string) => ({
    code: 1,
    printed: expect.stringMatching(`lacks[^]*ride.requested/${rideId}/1 \\(.*\\): ${state}`),
  });
  await refusing(live.audit, { table: 'facts', column: 'key', rideId }, async () => {
    await ground.send(rideStory(30, rideId));
    await ground.settled();
  });
  const before = await hashOf(live.notifications);
  expect(await ground.replay(...ofRide)).toMatchObject(refused('put aside'));
  expect(await ground.replay('--consumer', 'notifications', '--keys', uuidv7())).toMatchObject({ code: 0 });
  // Kafka has it yet.
  expect(await ground.replay('--consumer', 'notifications')).toMatchObject({ code: 0 });
  await ground.forget('rides', 1);
  expect(await ground.replay('--consumer', 'notifications')).toMatchObject(refused('put aside'));
  expect(await hashOf(live.notifications)).toBe(before);

  const order = { topic: 'rides', key: rideId, limit: 1 };
  await officeOf(live.audit).discard({ ...order, dryRun: false, by: 'operator:a', because: 'a test' });
  expect(await ground.replay(...ofRide)).toMatchObject(refused('discarded'));
});
