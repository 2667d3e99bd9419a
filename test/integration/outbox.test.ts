import { v7 as uuidv7 } from 'uuid';
import { createRecordTransition } from '../../activities/outbox';
import { mostRecordBytes } from '../../platform/kafka/recordSize';
import { appendFact, changedSince, findStep, recordStep, stepsOf } from '../../platform/outbox';
import { createKeyStore, createVault, masterKeys } from '../../platform/personal';
import {
  isRetriable,
  isUniqueViolation,
  migrate,
  outboxMigrations,
  inboxMigrations,
  createPool,
  withTransaction,
} from '../../platform/postgres';
import { outboxChannel } from '../../platform/relay/tell';
import { startTelemetry } from '../../platform/telemetry';
import { contextFrom, within } from '../../platform/telemetry/trace';
import { eventually, quiet, testDatabase, upTo, type TestDatabase } from '../support/backbone';
import { createDatabase } from '../support/servers';

let db: TestDatabase;
beforeAll(async () => {
  startTelemetry({ service: 'test', endpoint: '', log: quiet });
  db = await testDatabase(5);
});
afterAll(() => db.drop());

const fact = {
  ...{ topic: 'rides', key: 'ride-1', id: 'ride-1', type: 'ride.requested', sequence: 1 },
  ...{ time: '2026-01-01T12:00:00.000Z', source: '/hailway/rides', correlationId: 'c', causationId: 'k' },
  data: { fareMinor: 1_500, note: 'naïve \u0000 \u{1F695}' },
};
const step = {
  ...{ stepId: 'ride-1/request/1', aggregateId: 'ride-1', version: 1, factType: 'ride.requested' },
  ...{ fact: { fareMinor: 1_500 }, result: { state: 'requested' } },
};
const failure = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('did not fail'),
    (error: Error) => error,
  );

test('migrations run once, also when several processes start at once', async () => {
  const sets = [outboxMigrations, inboxMigrations];
  expect(await Promise.all([migrate(db.url, sets), migrate(db.url, sets), migrate(db.url, sets)])).toEqual([
    [],
    [],
    [],
  ]);
});

test('a fact is written as CloudEvents attributes and JSON, with the transaction or not at all', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
  await within(contextFrom(traceparent), () => withTransaction(db.pool, (tx) => appendFact(tx, fact)));
  const rollback = new Error('no');
  await expect(
    withTransaction(db.pool, async (tx) => {
      await appendFact(tx, { ...fact, sequence: 2 });
      throw rollback;
    }),
  ).rejects.toBe(rollback);
  const { rows } = await db.pool.query<{ headers: object; value: string }>(
    'select topic, key, headers, value from outbox',
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]!.headers).toEqual({
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: 'ride.requested/ride-1/1',
    ce_source: '/hailway/rides',
    ce_type: 'ride.requested',
    ce_dataschema: 'ride.requested.v1',
    ce_time: '2026-01-01T12:00:00.000Z',
    ce_subject: 'ride-1',
    ce_sequence: '1',
    ce_correlationid: 'c',
    ce_causationid: 'k',
    traceparent,
  });
  expect(JSON.parse(rows[0]!.value)).toEqual(fact.data);
});

test('relays are told of many commits at once, and outside of them; of a rollback they are told nothing', async () => {
  const ear = await db.pool.connect();
  // With one connection the first telling has its turn behind all the commits that wait for theirs, and the second one
  // tells of those.
  const pool = createPool(db.url, { applicationName: 'test', max: 1 });
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const heard: string[] = [];
  // Others may still be told of what tests before have committed.
  ear.on('notification', ({ channel, processId }) => {
    if (processId === rows[0]!.pid) heard.push(channel);
  });
  await ear.query(`listen ${outboxChannel}; listen over`);
  const commit = (n: number) =>
    withTransaction(pool, (tx) => appendFact(tx, { ...fact, key: 'told', id: 'told', sequence: n }));
  await expect(
    withTransaction(pool, async (tx) => {
      await appendFact(tx, fact);
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  await Promise.all(upTo(200).map(commit));
  await eventually(
    () => heard.length,
    (n) => n >= 2,
  );
  await pool.query('notify over');
  await eventually(
    () => heard.at(-1),
    (last) => last === 'over',
  );
  await pool.end();
  ear.release(true);
  expect(heard).toEqual([outboxChannel, outboxChannel, 'over']);
});

test('a fact that no topic takes is final for the workflow whose step makes it', async () => {
  const keys = createPool(await createDatabase('keys'), { applicationName: 'test', max: 1 });
  const record = createRecordTransition({
    ...{ pool: db.pool, source: '/hailway/payments', belongsTo: () => 'x'.repeat(mostRecordBytes) },
    vault: createVault({ keys: createKeyStore(keys, masterKeys(`test:${'k'.repeat(40)}`)) }),
    aggregate: { lock: async () => null, fold: () => ({ version: 1 }), save: async () => {} },
  });
  const recorded = record({
    ...{ stepId: 'large/1', aggregateId: 'large', expectedVersion: 0 },
    fact: { type: 'dispute.inquiry_closed', at: fact.time, data: { rideId: uuidv7() } },
  });
  expect(await failure(recorded)).toMatchObject({ type: 'fact_too_large', nonRetryable: true });
  expect(await findStep(db.pool, 'large/1')).toBeNull();
  await keys.end();
});

test('a step is found again with its answer; its id and its version are taken once', async () => {
  expect(await findStep(db.pool, step.stepId)).toBeNull();
  await withTransaction(db.pool, (tx) => recordStep(tx, step));
  expect(await findStep(db.pool, step.stepId)).toMatchObject(step);

  const again = await failure(withTransaction(db.pool, (tx) => recordStep(tx, step)));
  expect(isUniqueViolation(again, 'steps_pkey')).toBe(true);
  const other = await failure(
    withTransaction(db.pool, (tx) => recordStep(tx, { ...step, stepId: 'ride-1/cancel/1' })),
  );
  expect(isUniqueViolation(other, 'steps_aggregate_version')).toBe(true);
  expect(isRetriable(other)).toBe(false);

  await withTransaction(db.pool, (tx) => recordStep(tx, { ...step, stepId: 'ride-1/match/1', version: 2 }));
  expect((await stepsOf(db.pool, 'ride-1')).map(({ version }) => version)).toEqual([1, 2]);
  expect((await stepsOf(db.pool, 'ride-1', { afterVersion: 1 })).map(({ version }) => version)).toEqual([2]);
});

test('what changed since a look is told once, also what was written before the look and committed after it', async () => {
  const record = (aggregateId: string) =>
    withTransaction(db.pool, (tx) => recordStep(tx, { ...step, stepId: `${aggregateId}/1`, aggregateId }));
  let { snapshot } = await changedSince(db.pool, null, 100);
  const changes = async (): Promise<string[]> => {
    const seen = await changedSince(db.pool, snapshot, 100);
    ({ snapshot } = seen);
    return [...seen.ids!].sort();
  };
  await withTransaction(db.pool, async (tx) => {
    await recordStep(tx, { ...step, stepId: 'late/1', aggregateId: 'late' });
    await record('early');
    expect(await changes()).toEqual(['early']);
    await record('next');
    expect(await changes()).toEqual(['next']);
  });
  expect(await changes()).toEqual(['late']);
  expect(await changes()).toEqual([]);

  await Promise.all(['a', 'b', 'c'].map(record));
  expect((await changedSince(db.pool, snapshot, 2)).ids).toBeNull();
  expect(await changes()).toEqual(['a', 'b', 'c']);
});

test('numbers and times arrive as the project writes them', async () => {
  const { rows } = await db.pool.query(
    `select 9007199254740991::bigint as n, '2026-01-01 13:00+01'::timestamptz as t, 'infinity'::timestamptz as never`,
  );
  expect(rows).toEqual([{ n: Number.MAX_SAFE_INTEGER, t: '2026-01-01T12:00:00.000Z', never: 'infinity' }]);
  await expect(db.pool.query('select 9007199254740993::bigint')).rejects.toThrow('does not fit');
});

test('a swallowed error does not pass for a commit', async () => {
  const error = await failure(
    withTransaction(db.pool, async (tx) => {
      await tx.query('select 1 / 0').catch(() => {});
    }),
  );
  expect(error.message).toContain('aborted');
});

test('a connection that breaks inside a transaction is retriable, and the pool goes on', async () => {
  const killed = withTransaction(db.pool, async (tx) => {
    const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
    // Returns when it is gone.
    await db.pool.query('select pg_terminate_backend($1, 10000)', [rows[0]!.pid]);
    await tx.query('select 1');
  });
  expect(isRetriable(await failure(killed))).toBe(true);
  expect(await withTransaction(db.pool, async () => 'fine')).toBe('fine');
});

test('waiting for a lock ends, and may be tried again', async () => {
  await withTransaction(db.pool, async (holder) => {
    await holder.query('lock table steps');
    const waiting = withTransaction(db.pool, async (tx) => {
      await tx.query(`set local lock_timeout = '50ms'`);
      await tx.query('select * from steps');
    });
    expect(isRetriable(await failure(waiting))).toBe(true);
  });
});
