import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { runCommand } from '../command';
import { DataDirUnreachable, everybodyCanReach } from '../places';
import { keepRunning, type Kept } from '../keep';
import type { Say } from '../say';
import { endProcess, startDaemon, startTimeOf, stopLeftOver } from './daemon';
import { postgresUser, type SystemUser } from './unprivileged';

export interface PostgresOptions {
  readonly binaries: string;
  readonly dataDir: string;
  readonly port: number;
  readonly say: Say;
}

/** The superuser of the embedded server. It listens on this machine only. */
export const postgresUrl = (port: number, database = 'postgres'): string =>
  `postgres://postgres:postgres@127.0.0.1:${port}/${database}`;

/** Two cores and a share of 3 GB; a commit waits for the disk, as the promise of a 2xx says. */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  work_mem: '4MB',
  maintenance_work_mem: '64MB',
  wal_level: 'logical',
  max_wal_size: '1GB',
  min_wal_size: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  max_worker_processes: '4',
  max_parallel_workers_per_gather: '0',
  autovacuum_max_workers: '2',
  jit: 'off',
  timezone: 'UTC',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
};

/** SIGINT is Postgres's fast shutdown: open transactions are rolled back, everything is written. */
const stopSignal = 'SIGINT';
const stopDeadlineMs = 15_000;

const clusterDir = (dataDir: string): string => join(dataDir, 'postgres');

/** Ends a server that an earlier start left behind on this data. */
export async function stopLeftOverPostgres(dataDir: string): Promise<void> {
  await stopLeftOver(dataDir, 'postgres', { signal: stopSignal, deadlineMs: stopDeadlineMs });
  const pidFile = join(clusterDir(dataDir), 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  if (runsIn(pid, clusterDir(dataDir))) {
    await endProcess(pid, { signal: stopSignal, deadlineMs: stopDeadlineMs });
  }
  // Whoever has the number now is a stranger, whom Postgres would take for its own server.
  rmSync(pidFile, { force: true });
}

/** A postmaster's working directory is its data. */
function runsIn(pid: number, folder: string): boolean {
  if (startTimeOf(pid) === undefined) return false;
  if (!existsSync('/proc/self/cwd')) return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false;
  }
}

/** Makes the data on the first start, starts the server and keeps it running. Wait with `untilReady`. */
export async function startPostgres(options: PostgresOptions): Promise<Kept> {
  const { binaries, dataDir, port, say } = options;
  const user = postgresUser();
  mkdirSync(dataDir, { recursive: true });
  if (user) chmodSync(dataDir, statSync(dataDir).mode | 0o011);
  if (user && !everybodyCanReach(dataDir)) {
    throw new DataDirUnreachable(
      `Postgres does not run as root, and its own user cannot reach ${dataDir}: name another with --data-dir`,
    );
  }
  await makeCluster(options, user);
  const args = ['-D', clusterDir(dataDir), '-p', String(port)];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  return keepRunning({
    name: 'postgres',
    dataDir,
    say,
    stopSignal,
    stopDeadlineMs,
    start: () =>
      startDaemon({
        name: 'postgres',
        dataDir,
        command: join(binaries, 'postgres'),
        args,
        cwd: clusterDir(dataDir),
        env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
        ...user,
      }),
    isReady: () => answers(postgresUrl(port)),
  });
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function makeCluster({ binaries, dataDir }: PostgresOptions, user?: SystemUser): Promise<void> {
  const cluster = clusterDir(dataDir);
  if (existsSync(join(cluster, 'PG_VERSION'))) return;
  // initdb works in a folder of its own that is renamed when it is whole.
  const unfinished = `${cluster}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const passwordFile = join(unfinished, 'password');
  const inside = join(unfinished, 'data');
  writeFileSync(passwordFile, 'postgres\n');
  if (user) for (const path of [unfinished, passwordFile]) chownSync(path, user.uid, user.gid);
  await runCommand(
    join(binaries, 'initdb'),
    [
      ...['-D', inside, '-U', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', 'C'],
    ],
    { cwd: unfinished, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }, ...user },
  );
  await rename(inside, cluster);
  await rm(unfinished, { recursive: true, force: true });
}
