import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { createPool, type Pool } from '../../platform/postgres';
import { wait } from '../../platform/wait';
import { projectionHash } from '../../platform/projectionHash';
import { eventually, readAll, stopAll } from '../support/backbone';
import {
  cityFacts,
  comeToTheSame,
  hashOf,
  replayWith,
  rideStory,
  startReplayGround,
  type LiveConsumer,
  type ReplayGround,
} from '../support/replayGround';

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
/** Live and control after all that was sent: the same, or the test fails. */
const sameAsControl = (name: (typeof names)[number]): Promise<void> =>
  comeToTheSame(ground, live[name], control[name]);

/** What is wrong in a projection before it is made anew. */
const spoilt = {
  analytics:
    'update demand set requested = requested + 1; delete from ride_cells; update hours set value = value + 1',
  notifications: `delete from notifications where template = 'receipt'; update ride_riders set rider_id = 'nobody'`,
};

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
  const { code, printed } = await underTraffic(() => ground.replay('--consumer', name, '--check'));
  expect(printed).toMatch(/the same\n$/);
  expect(code).toBe(0);
  // Nobody writes by now: two who change the same rows in another order might wait for each other.
  await ground.settled();
  await live[name].pool.query(spoilt[name]);
  expect(await ground.replay('--consumer', name, '--check')).toMatchObject({
    code: 1,
    printed: expect.stringMatching(/they differ\n$/),
  });
});

test.each(names)('%s is switched over under traffic, and goes on from there', async (name) => {
  const { code, printed } = await underTraffic(() => ground.replay('--consumer', name));
  expect({ code, printed }).toMatchObject({
    code: 0,
    printed: expect.stringMatching(/facts in .* a second\n$/),
  });
  await sameAsControl(name);
  // The one before is kept until somebody drops it.
  const previous = () => live[name].pool.query(`select from pg_namespace where nspname like 'replay%'`);
  expect((await previous()).rowCount).toBe(1);
  await ground.replay('--consumer', name, '--drop-old');
  expect((await previous()).rowCount).toBe(0);
});

test('what comes too late is judged by the log: a replay finds the same facts late', async () => {
  const lateness = async ({ pool }: LiveConsumer) => {
    const { rows } = await pool.query<{ place: string; latestMs: number; late: number }>(
      `select topic || ' ' || partition as place, latest_ms as "latestMs", late from event_times order by place`,
    );
    return rows;
  };
  // Of three rides that follow, what was asked for hours before the last ride ended.
  await ground.send(cityFacts(3));
  await ground.settled();
  const judged = await lateness(control.analytics);
  expect(judged.filter(({ late }) => late > 0).length).toBeGreaterThan(1);
  await live.analytics.pool.query('update event_times set late = 0, latest_ms = 0');
  expect(await ground.replay('--consumer', 'analytics')).toMatchObject({ code: 0 });
  expect(await lateness(live.analytics)).toEqual(judged);
  await sameAsControl('analytics');
});

test('a replay publishes nothing: no webhook is posted again, none is missing, and no dead letter is written', async () => {
  await ground.settled();
  const told = await live.notifications.pool.query(
    `select count(*) as count from inbox_positions where consumer_group = $1`,
    [live.notifications.group],
  );
  expect(told.rows[0]).toEqual({ count: 6 });
  const before = await deliveries();
  expect(await ground.replay('--consumer', 'notifications')).toMatchObject({ code: 0 });
  expect((await deliveries()).rows).toEqual(before.rows);
  const letters = await readAll(ground.kafka, `${live.notifications.group}.dead-letter`);
  expect(letters.map(({ key }) => String(key))).toEqual([poisonedRide]);
  const parked = (consumer: LiveConsumer) =>
    consumer.pool.query(`select topic, key, fact_id, head from inbox_parked order by topic, "offset"`);
  expect((await parked(live.notifications)).rows).toEqual((await parked(control.notifications)).rows);
});

test('where Kafka has the early records no more, the audit store has them: no gap, nothing twice', async () => {
  await ground.settled();
  for (const name of ['rides', 'payments']) await ground.forget(name, 1 / 2);
  for (const name of names) {
    await live[name].pool.query(spoilt[name]);
    expect(await ground.replay('--consumer', name)).toMatchObject({ code: 0 });
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
    expect(await ground.replay('--consumer', 'analytics')).toMatchObject({ code: 0 });
    await sameAsControl('analytics');
  });
});

async function factsIn(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool
    .query<{ facts: number }>(`select coalesce(sum(facts), 0)::bigint as facts from ${table}`)
    .catch(() => ({ rows: [] }));
  return rows[0]?.facts ?? 0;
}

test('a new consumer begins with one flag, with what Kafka has no more; then it has run', async () => {
  const url = await ground.database('analytics');
  const run = (...argv: string[]) =>
    replayWith({ ...ground.env(), ANALYTICS_DATABASE_URL: url }, '--consumer', 'analytics', ...argv);
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
