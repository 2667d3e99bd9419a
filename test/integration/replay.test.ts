import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { withAdmin } from '../../platform/kafka';
import { createInboxDeadLetters } from '../../platform/inbox';
import { createPool, type Pool } from '../../platform/postgres';
import { wait } from '../../platform/wait';
import { projectionHash } from '../../platform/projectionHash';
import { replay } from '../../tools/cli/replay';
import { eventually, quiet, readAll, stopAll } from '../support/backbone';
import {
  cityFacts,
  rideStory,
  startReplayGround,
  type LiveConsumer,
  type ReplayGround,
} from '../support/replayGround';
import { at } from '../support/consumers';

jest.setTimeout(120_000);

/** Nobody replays the controls: what they hold is what a projection is to be. */
let ground: ReplayGround;
let live: Record<'analytics' | 'notifications' | 'audit', LiveConsumer>;
let control: Record<'analytics' | 'notifications', LiveConsumer>;
const poisonedRide = uuidv7();

beforeAll(async () => {
  ground = await startReplayGround();
  live = {
    audit: await ground.start('audit'),
    analytics: await ground.start('analytics'),
    notifications: await ground.start('notifications'),
  };
  control = {
    analytics: await ground.start('analytics', 'analytics-control'),
    notifications: await ground.start('notifications', 'notifications-control'),
  };
  await live.notifications.pool.query(
    `insert into webhook_endpoints (endpoint_id, owner_role, owner_id, url, secret)
     values ($1, 'operator', 'operator-1', 'http://127.0.0.1:9/', 'secret')`,
    [uuidv7()],
  );
  const poison = rideStory(1, poisonedRide).map((fact) =>
    fact.type === 'ride.requested' ? { ...fact, data: { nothing: 'right' } } : fact,
  );
  await ground.send([...cityFacts(60), ...poison]);
  await ground.settled();
});
afterAll(async () => {
  await ground?.stop();
  await stopAll();
});

const names = ['analytics', 'notifications'] as const;
const hashOf = ({ pool, projection }: LiveConsumer): Promise<string> =>
  projectionHash(pool, projection.tables);

/** Live and control after all that was sent: the same, or the test fails. */
async function sameAsControl(name: (typeof names)[number]): Promise<void> {
  await ground.settled();
  await eventually(
    async () => [await hashOf(live[name]), await hashOf(control[name])],
    ([one, other]) => one === other,
    10_000,
  );
}

/** What is wrong in a projection before it is made anew. */
const spoilt = {
  analytics:
    'update demand set requested = requested + 1; delete from rides_under_way; update hours set value = value + 1',
  notifications: `delete from notifications where template = 'receipt'; update ride_riders set rider_id = 'nobody'`,
};

async function hailway(...argv: string[]): Promise<{ code: number; printed: string }> {
  const printed: string[] = [];
  const print = (text: unknown): boolean => printed.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((out) =>
    jest.spyOn(out, 'write').mockImplementation(print),
  );
  try {
    const code = await replay(argv, ground.env());
    return { code, printed: printed.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Rides go on for as long as `work` takes. */
async function underTraffic<T>(work: () => Promise<T>): Promise<T> {
  let isOver = false;
  const traffic = (async () => {
    for (; !isOver; await wait(100)) await ground.send(cityFacts(1));
  })();
  try {
    return await work();
  } finally {
    isOver = true;
    await traffic;
  }
}

const deliveries = async (): Promise<{ rows: unknown[] }> =>
  live.notifications.pool.query(
    `select count(*) as deliveries, count(distinct fact_id) as facts from deliveries`,
  );

test.each(names)('%s made anew under traffic is what the live one is at the same facts', async (name) => {
  const { code, printed } = await underTraffic(() => hailway('--consumer', name, '--check'));
  expect(printed).toMatch(/the same\n$/);
  expect(code).toBe(0);
  await live[name].pool.query(spoilt[name]);
  expect(await hailway('--consumer', name, '--check')).toMatchObject({
    code: 1,
    printed: expect.stringMatching(/they differ\n$/),
  });
});

test.each(names)('%s is switched over under traffic, and goes on from there', async (name) => {
  const { code, printed } = await underTraffic(() => hailway('--consumer', name));
  expect({ code, printed }).toMatchObject({
    code: 0,
    printed: expect.stringMatching(/facts in .* a second\n$/),
  });
  await sameAsControl(name);
  // The one before is kept until somebody drops it.
  const previous = () => live[name].pool.query(`select from pg_namespace where nspname like 'replay%'`);
  expect((await previous()).rowCount).toBe(1);
  await hailway('--consumer', name, '--drop-old');
  expect((await previous()).rowCount).toBe(0);
});

test('a replay publishes nothing: no webhook is posted again, none is missing, and no dead letter is written', async () => {
  await ground.settled();
  const told = await live.notifications.pool.query(
    `select count(*) as count from inbox_positions where consumer_group = $1`,
    [live.notifications.group],
  );
  expect(told.rows[0]).toEqual({ count: 6 });
  const before = await deliveries();
  expect(await hailway('--consumer', 'notifications')).toMatchObject({ code: 0 });
  expect((await deliveries()).rows).toEqual(before.rows);
  const letters = await readAll(ground.kafka, `${live.notifications.group}.dead-letter`);
  expect(letters.map(({ key }) => String(key))).toEqual([poisonedRide]);
  const parked = (consumer: LiveConsumer) =>
    consumer.pool.query(`select topic, key, fact_id, head from inbox_parked order by topic, "offset"`);
  expect((await parked(live.notifications)).rows).toEqual((await parked(control.notifications)).rows);
});

/** Kafka has so much of a topic no more: 1 for all of it. */
const forget = (name: string, share: number): Promise<void> =>
  withAdmin(ground.kafka, async (admin) => {
    const topic = ground.topic(name);
    const offsets = await admin.fetchTopicOffsets(topic);
    const partitions = offsets.map(({ partition, high }) => ({
      partition,
      offset: String(Math.floor(Number(high) * share)),
    }));
    await admin.deleteTopicRecords({ topic, partitions });
  });

test('where Kafka has the early records no more, the audit store has them: no gap, nothing twice', async () => {
  await ground.settled();
  for (const name of ['rides', 'payments']) await forget(name, 1 / 2);
  for (const name of names) {
    await live[name].pool.query(spoilt[name]);
    expect(await hailway('--consumer', name)).toMatchObject({ code: 0 });
    await sameAsControl(name);
  }
});

describe('a replay that is killed half way', () => {
  let child: ChildProcess;
  afterEach(() => child?.kill('SIGKILL'));

  test('leaves the live one as it is, which works on; the next one begins again', async () => {
    await ground.send(cityFacts(600));
    await ground.settled();
    const before = await hashOf(live.analytics);
    const root = resolve(__dirname, '../..');
    child = spawn(
      process.execPath,
      [
        ...['-r', `${root}/test/support/typescript.cjs`, '-e'],
        `require('${root}/tools/cli/replay.ts').replay(['--consumer', 'analytics'], process.env)`,
      ],
      { env: { ...process.env, ...ground.env() }, stdio: 'ignore' },
    );
    await eventually(
      () => factsIn(live.analytics.pool, 'replay_next.inbox_positions'),
      (facts) => facts > 0,
      60_000,
    );
    child.kill('SIGKILL');
    expect(await hashOf(live.analytics)).toBe(before);
    await ground.send(cityFacts(3));
    await sameAsControl('analytics');
    expect(await hailway('--consumer', 'analytics')).toMatchObject({ code: 0 });
    await sameAsControl('analytics');
  });
});

async function factsIn(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool
    .query<{ facts: number }>(`select coalesce(sum(facts), 0)::bigint as facts from ${table}`)
    .catch(() => ({ rows: [] }));
  return rows[0]?.facts ?? 0;
}

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
  expect(await hailway('--consumer', 'notifications', '--keys', mine)).toMatchObject({ code: 0 });
  expect(await texts(mine)).toEqual(right);
  expect(await texts(other)).toEqual(wrong(othersRight));

  await spoil();
  // Those of the ride's end alone.
  const from = ['--from', at('14:00:00.000')];
  expect(await hailway('--consumer', 'notifications', '--keys', mine, ...from)).toMatchObject({ code: 0 });
  expect(await texts(mine)).toEqual(right.map((text, i) => (i < 3 ? 'wrong' : text)));
  expect(await hailway('--consumer', 'notifications', ...from)).toMatchObject({ code: 0 });
  expect((await texts(other)).slice(3)).toEqual(othersRight.slice(3));
  expect((await texts(other)).slice(0, 3)).toEqual(wrong(othersRight).slice(0, 3));

  expect(await hailway('--consumer', 'notifications', '--keys', `${mine},${other}`)).toMatchObject({
    code: 0,
  });
  await sameAsControl('notifications');
});

test('a new consumer begins with one flag, with what Kafka has no more; then it has run', async () => {
  const url = await ground.database('analytics');
  const run = (...argv: string[]) =>
    hailwayOn({ ANALYTICS_DATABASE_URL: url }, '--consumer', 'analytics', ...argv);
  expect(await run()).toMatchObject({ code: 1, printed: expect.stringContaining('--new begins it') });
  expect(await run('--new')).toMatchObject({ code: 0 });
  expect(await run('--new')).toMatchObject({ code: 1, printed: expect.stringContaining('has run already') });
  const pool = createPool(url, { applicationName: 'test', max: 1 });
  try {
    expect(await projectionHash(pool, live.analytics.projection.tables)).toBe(
      await hashOf(control.analytics),
    );
  } finally {
    await pool.end();
  }
});

async function hailwayOn(env: NodeJS.ProcessEnv, ...argv: string[]) {
  const given = ground.env;
  ground = { ...ground, env: () => ({ ...given(), ...env }) };
  try {
    return await hailway(...argv);
  } finally {
    ground = { ...ground, env: given };
  }
}

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
    const replayed = hailway('--consumer', 'notifications');
    await waitsFor('ride_riders');
    // The replay has this one; it is the first to look for a deadlock, as it waits the longest.
    await reader.query('select from notifications limit 1');
    await reader.query('rollback');
    expect(await replayed).toMatchObject({ code: 0 });
  } finally {
    reader.release();
  }
  await sameAsControl('notifications');
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
    const replayed = hailway('--consumer', 'notifications', '--keys', rideId);
    await waitsFor('inbox_positions');
    await officeOf(live.notifications).replay({ topic: 'rides', key: rideId, limit: 1, dryRun: false });
    await officeOf(live.notifications).replay({ topic: 'payments', key: rideId, limit: 1, dryRun: false });
    expect(await told()).toBeGreaterThan(0);
    await reader.query('rollback');
    expect(await replayed).toMatchObject({ code: 1, printed: expect.stringContaining('replayed meanwhile') });
  } finally {
    reader.release();
  }
  await sameAsControl('notifications');
  expect(await hailway('--consumer', 'notifications', '--keys', rideId)).toMatchObject({ code: 0 });
  await sameAsControl('notifications');
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
  expect(await hailway(...ofRide)).toMatchObject(refused('put aside'));
  expect(await hailway('--consumer', 'notifications', '--keys', uuidv7())).toMatchObject({ code: 0 });
  // Kafka has it yet.
  expect(await hailway('--consumer', 'notifications')).toMatchObject({ code: 0 });
  await forget('rides', 1);
  expect(await hailway('--consumer', 'notifications')).toMatchObject(refused('put aside'));
  expect(await hashOf(live.notifications)).toBe(before);

  const order = { topic: 'rides', key: rideId, limit: 1 };
  await officeOf(live.audit).discard({ ...order, dryRun: false, by: 'operator:a', because: 'a test' });
  expect(await hailway(...ofRide)).toMatchObject(refused('discarded'));
});
