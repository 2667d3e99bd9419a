import { join } from 'node:path';
import { ConfigError, loadConfig, type Config } from '../platform/config';
import { ensureKeys } from './keys';
import { ensureDatabase, migrateOwner, owners, type Owner } from './stack/databases';
import { prepareTopics } from './stack/topics';

/**
 * Prepares servers that somebody else has started, as docker-compose.yml does: roles and databases, migrations,
 * topics, keys in <HAILWAY_DATA_DIR>/keys. Safe to run again; what is there is kept.
 */
async function prepare(config: Config): Promise<void> {
  for (const owner of owners) {
    await ensureDatabase(config.POSTGRES_URL, { owner, ...nameAndPassword(config, owner) });
    await migrateOwner(owner, urlOf(config, owner));
    console.log(`${owner}: database up to date`);
  }
  await prepareTopics(config.KAFKA_BROKERS.join(','), config.KAFKA_TOPIC_PREFIX);
  console.log('topics: there');
  const names = { issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE };
  await ensureKeys(join(config.HAILWAY_DATA_DIR, 'keys'), names, { shared: true });
  console.log('keys: there');
}

const urlOf = (config: Config, owner: Owner): string =>
  config[`${owner.toUpperCase() as Uppercase<Owner>}_DATABASE_URL`];

/** The database and password that the owner's own URL names: that is what its process will connect with. */
function nameAndPassword(config: Config, owner: Owner): { database: string; password: string } {
  const url = new URL(urlOf(config, owner));
  if (decodeURIComponent(url.username) !== owner) {
    throw new ConfigError(`${owner.toUpperCase()}_DATABASE_URL takes a URL for the user ${owner}`);
  }
  return {
    database: decodeURIComponent(url.pathname.slice(1)),
    password: decodeURIComponent(url.password),
  };
}

async function main(): Promise<void> {
  // Keys are made here, so what processes read them from is not there yet.
  const {
    HAILWAY_SERVICE_TOKEN_FILE: _a,
    QUOTE_SECRET_FILE: _b,
    RIDE_CODE_SECRET_FILE: _c,
    ...env
  } = process.env;
  await prepare(loadConfig(env));
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = error instanceof ConfigError ? ConfigError.exitCode : 1;
});
