import { createPool, migrationSet, outboxMigrations } from '../../../platform/postgres';
import { takeParts } from '../../stack/parts';
import { createSay } from '../../stack/say';
import { startServer } from '../../stack/servers';
import { postgresUrl } from '../../stack/servers/postgres';
import { benchDatabase, type BenchServers } from '../servers';
import { DRIVERS, driverIdOf, FLEET } from './requests';

/**
 * Starts Postgres beside the bench's other servers, with a rides database in which all drivers of the requests have
 * registered and are on a shift; it ends when `use` does. It is none of the other servers, so that nobody who measures
 * something else with these has it beside them.
 * @param use is given the database's URL
 */
export async function withRegistered<T>(
  { dataDir, ports }: Pick<BenchServers, 'dataDir' | 'ports'>,
  use: (databaseUrl: string) => Promise<T>,
): Promise<T> {
  const say = createSay(process.stderr);
  const { POSTGRES_URL: _theirs, ...env } = process.env;
  const parts = await takeParts({ env, say });
  const postgres = await say.during('Starting postgres', () =>
    startServer('postgres', { parts, dataDir, ports, say }),
  );
  try {
    const server = { postgresUrl: postgresUrl(ports.postgres) };
    const rides = await benchDatabase(server, 'bench_http', [
      outboxMigrations,
      migrationSet('rides', 'services/rides/migrations'),
    ]);
    try {
      await register(rides.url);
      return await use(rides.url);
    } finally {
      await rides.drop();
    }
  } finally {
    await postgres?.stop();
  }
}

async function register(databaseUrl: string): Promise<void> {
  const pool = createPool(databaseUrl, { applicationName: 'bench', max: 1, statementTimeoutMs: 60_000 });
  try {
    await pool.query(
      `insert into drivers (driver_id, version, name, plate, product, online, fleet_id)
       select id, 1, 'A driver', 'T 1', 'standard', true, $2 from unnest($1::text[]) as id`,
      [Array.from({ length: DRIVERS }, (_, n) => driverIdOf(n)), FLEET],
    );
    await pool.query('vacuum analyze drivers');
    await pool.query('checkpoint');
  } finally {
    await pool.end();
  }
}
