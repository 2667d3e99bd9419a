import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Client } from 'pg';
import { keptRun } from './run';

/** Stops what globalSetup started and removes its folder. */
export default async function globalTeardown(): Promise<void> {
  const run = keptRun();
  if (!run) return;
  try {
    if (run.servers && !run.ownPostgres) await dropDatabases(run.servers.postgresUrl);
    await run.servers?.stop();
  } finally {
    const gone = once(run.guard, 'exit');
    run.guard.ref();
    run.guard.stdin?.end();
    await gone;
    await rm(process.env.HAILWAY_TEST_DIR ?? '', { recursive: true, force: true });
  }
}

/** On somebody else's server nothing of ours stays. */
async function dropDatabases(adminUrl: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  const { rows } = await admin.query<{ datname: string }>(
    'select datname from pg_database where datname like $1',
    [`test\\_%\\_${process.env.HAILWAY_TEST_RUN}\\_%`],
  );
  for (const { datname } of rows) {
    await admin.query(`drop database if exists ${admin.escapeIdentifier(datname)} with (force)`);
  }
  await admin.end();
}
