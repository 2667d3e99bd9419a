import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPool } from '../../platform/postgres';
import { ensureDatabase, migrateOwner, owners } from '../../tools/stack/databases';
import type { Kept } from '../../tools/stack/keep';
import { takeParts, type Parts } from '../../tools/stack/parts';
import { freePorts, type Ports } from '../../tools/stack/ports';
import { silent } from '../../tools/stack/say';
import { startServer, stopLeftOverServers } from '../../tools/stack/servers';
import { sendSignal } from '../../tools/stack/signals';
import { startTimeOf } from '../../tools/stack/servers/daemon';
import { postgresUrl } from '../../tools/stack/servers/postgres';
import { eventually } from '../support/backbone';
import { createDatabase } from '../support/servers';
import { newDataDir } from '../support/wholeStack';

let parts: Parts;
let ports: Ports;
let dataDir: string;
let server: Kept | undefined;

beforeAll(async () => {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ['POSTGRES_URL', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS']) delete env[name];
  parts = await takeParts({ env, say: silent });
});
beforeEach(async () => {
  ports = await freePorts();
  dataDir = newDataDir();
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const start = async (): Promise<Kept> =>
  (server = (await startServer('postgres', { parts, ports, dataDir, say: silent }))!);
const pidFile = (): string => join(dataDir, 'postgres', 'postmaster.pid');

async function ask(sql: string): Promise<unknown> {
  const pool = createPool(postgresUrl(ports.postgres), { applicationName: 'test', max: 1 });
  return pool
    .query(sql)
    .then(({ rows }) => rows[0] as unknown)
    .finally(() => pool.end());
}

test('a postmaster that only Postgres itself remembers is ended before the next start', async () => {
  const first = await start();
  await ask('create table kept (n int)');
  const pid = first.pid()!;
  rmSync(join(dataDir, 'run', 'postgres.json'));
  // Whoever kept it is gone: it must not be started again behind our back.
  const holding = eventually(
    () => startTimeOf(pid),
    (time) => time === undefined,
  );
  const stopping = stopLeftOverServers(dataDir);
  await holding;
  await first.stop();
  await stopping;
  await start();
  expect(await ask('select count(*)::int as n from kept')).toEqual({ n: 0 });
});

test('a stranger with the number of a postmaster that was killed is let alone, and the data goes on', async () => {
  const first = await start();
  await ask('create table kept (n int)');
  await first.hold();
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const [, ...rest] = readFileSync(pidFile(), 'utf8').split('\n');
  writeFileSync(pidFile(), [stranger.pid, ...rest].join('\n'));
  await first.stop();
  await stopLeftOverServers(dataDir);
  expect(existsSync(pidFile())).toBe(false);
  expect(startTimeOf(stranger.pid!)).toBeDefined();
  await start();
  expect(await ask('select count(*)::int as n from kept')).toEqual({ n: 0 });
  sendSignal(stranger.pid!, 'SIGKILL');
});

test('each owner has its tables in a database that the others cannot enter', async () => {
  for (const owner of owners) await createDatabase(owner);
  const rides = new URL(await createDatabase('rides'));
  const payments = new URL(await createDatabase('payments'));
  payments.pathname = rides.pathname;
  const intruder = createPool(payments.href, { applicationName: 'test', max: 1 });
  await expect(intruder.query('select 1')).rejects.toThrow('permission denied for database');
  await intruder.end();
});

test('databases are made once, also by two starts at once, and migrated again without effect', async () => {
  await start();
  const admin = postgresUrl(ports.postgres);
  const wanted = { owner: 'rides', database: 'rides', password: 'rides' } as const;
  const [url, again] = await Promise.all([ensureDatabase(admin, wanted), ensureDatabase(admin, wanted)]);
  expect(url).toBe(`postgres://rides:rides@127.0.0.1:${ports.postgres}/rides`);
  expect(again).toBe(url);
  await migrateOwner('rides', url);
  await migrateOwner('rides', url);
});
