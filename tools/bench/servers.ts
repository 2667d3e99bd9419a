import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, migrate, type MigrationSet } from '../../platform/postgres';
import type { Checks } from './frame';
import type { Kept } from '../stack/keep';
import { takeParts } from '../stack/parts';
import { freePorts, type Ports } from '../stack/ports';
import type { Say } from '../stack/say';
import { startServer, type ServerName } from '../stack/servers';
import { postgresUrl } from '../stack/servers/postgres';
import { killEverything } from '../stack/stack';

/** Servers of a bench's own, on free ports, with data in a temporary folder that goes with them. */
export interface BenchServers {
  readonly dataDir: string;
  readonly ports: Ports;
  /** As a user who may create roles and databases. */
  readonly postgresUrl: string;
  /** host:port */
  readonly temporalAddress: string;
  readonly kafkaBroker: string;
  pid(name: ServerName): number;
  stop(): Promise<void>;
}

/** Variables by which a user names servers: a bench runs its own, so that its figures are of those. */
const notForIt = ['POSTGRES_URL', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS'];

/** Starts those of the stack's servers that a bench needs, just as `npm start` does. */
export async function startBenchServers(names: readonly ServerName[], say: Say): Promise<BenchServers> {
  const env = { ...process.env };
  for (const name of notForIt) delete env[name];
  const parts = await takeParts({ env, say });
  const dataDir = await mkdtemp(join(tmpdir(), 'hailway-bench-'));
  // Where we are root, Postgres runs as another user, who must get to its folder inside.
  await chmod(dataDir, 0o711);
  const ports = await freePorts();
  const kept = new Map<ServerName, Kept>();
  const hurry = (): void => {
    killEverything(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hurry);
  const stop = async (): Promise<void> => {
    for (const signal of signals) process.off(signal, hurry);
    for (const server of [...kept.values()].reverse()) await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    for (const name of names) {
      const server = await startServer(name, { parts, dataDir, ports, say });
      if (server) kept.set(name, server);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    dataDir,
    ports,
    postgresUrl: postgresUrl(ports.postgres),
    temporalAddress: `127.0.0.1:${ports.temporal}`,
    kafkaBroker: `127.0.0.1:${ports.kafka}`,
    pid(name) {
      const pid = kept.get(name)?.pid();
      if (pid === undefined) throw new Error(`${name} does not run`);
      return pid;
    },
    stop,
  };
}

/** Whether what is committed is on the disk, as it is in the house. */
export async function checkDurability(
  { postgresUrl }: Pick<BenchServers, 'postgresUrl'>,
  checks: Checks,
): Promise<void> {
  const admin = createPool(postgresUrl, { applicationName: 'bench', max: 1 });
  for (const setting of ['fsync', 'synchronous_commit']) {
    const { rows } = await admin.query<Record<string, string>>(`show ${setting}`);
    checks.note(`${setting}On`, rows[0]![setting] === 'on');
  }
  await admin.end();
}

/** A new database with these migrations. */
export async function benchDatabase(
  { postgresUrl }: Pick<BenchServers, 'postgresUrl'>,
  name: string,
  migrations: readonly MigrationSet[],
): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const asAdmin = async (statement: string): Promise<void> => {
    const admin = createPool(postgresUrl, { applicationName: 'bench', max: 1, statementTimeoutMs: 60_000 });
    await admin.query(statement).finally(() => admin.end());
  };
  await asAdmin(`create database ${name}`);
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  await migrate(url.href, migrations);
  return { url: url.href, drop: () => asAdmin(`drop database ${name} with (force)`) };
}
