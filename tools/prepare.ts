import { readFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, loadConfig, type Config } from '../platform/config';
import { ensureDatabase, migrateOwner, owners, type Owner } from './stack/databases';
import { databaseVariable } from './stack/environment';
import { openIssuer, openSecrets, type Secrets } from './stack/issuer';
import { prepareNamespace } from './stack/namespace';
import { prepareSchedules } from './stack/schedules';
import { principals } from '../contracts/access';
import { kafkaAddress } from '../platform/kafka';
import { prepareKafka } from './stack/topics';

const serviceTokenTtlSeconds = 366 * 24 * 60 * 60;

/**
 * Prepares servers that somebody else has started, as docker-compose.yml does: roles and databases, migrations,
 * topics, Temporal's search attributes and Schedules, keys in <HAILWAY_DATA_DIR>/keys, and in <HAILWAY_DATA_DIR>/personal
 * what the keys of people are wrapped with. Safe to run again: what is there is kept, the service token is new.
 */
async function prepare(config: Config): Promise<void> {
  for (const owner of owners) {
    await ensureDatabase(config.POSTGRES_URL, { owner, ...nameAndPassword(config, owner) });
    await migrateOwner(owner, config[databaseVariable(owner)], config.POSTGRES_URL);
    console.log(`${owner}: database up to date`);
  }
  const keys = join(config.HAILWAY_DATA_DIR, 'keys');
  const secrets = await openSecrets(keys);
  const address = kafkaAddress(config);
  const { done, notes } = await prepareKafka({
    address,
    prefix: config.KAFKA_TOPIC_PREFIX,
    replicas: config.KAFKA_REPLICATION_FACTOR,
    access: address.sasl !== undefined,
    ...(address.sasl && { passwordOf: (principal) => secrets.of(`kafka/${principal}`) }),
  });
  for (const line of [...done, ...notes]) console.log(`topics: ${line}`);
  console.log('topics: there');
  await prepareNamespace(config.TEMPORAL_ADDRESS, config.TEMPORAL_NAMESPACE);
  console.log('search attributes: there');
  await prepareSchedules({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    speed: config.HAILWAY_SPEED,
  });
  console.log('schedules: there');
  await writeKeys(keys, secrets, address.sasl ? principals : []);
  const personal = join(config.HAILWAY_DATA_DIR, 'personal');
  await writeFiles(personal, { 'master-keys': `stack:${secrets.of('personal-keys')}` });
  // Where it was before, everybody could read it.
  await rm(join(keys, 'personal-keys'), { force: true });
  console.log('keys: there');
}

/** The database and password that the owner's own URL names: that is what its process will connect with. */
function nameAndPassword(config: Config, owner: Owner): { database: string; password: string } {
  const url = new URL(config[databaseVariable(owner)]);
  if (decodeURIComponent(url.username) !== owner) {
    throw new ConfigError(`${databaseVariable(owner)} takes a URL for the user ${owner}`);
  }
  return {
    database: decodeURIComponent(url.pathname.slice(1)),
    password: decodeURIComponent(url.password),
  };
}

/**
 * What processes read from a shared volume, as another user than the one who writes it: public keys and secrets.
 * What tokens are signed with stays in a folder of its writer's.
 */
async function writeKeys(dir: string, secrets: Secrets, kafkaUsers: readonly string[]): Promise<void> {
  const logins = Object.fromEntries(kafkaUsers.map((user) => [`kafka-${user}`, secrets.of(`kafka/${user}`)]));
  const issuer = await openIssuer(dir);
  await writeFiles(dir, {
    'jwks.json': readFileSync(issuer.jwksPath, 'utf8'),
    'service-token': await issuer.mintToken({
      role: 'service',
      sub: 'stack',
      ttlSeconds: serviceTokenTtlSeconds,
    }),
    'quote-secret': secrets.of('quote'),
    'ride-code-secret': secrets.of('ride-code'),
    'stripe-webhook-secret': secrets.of('stripe-webhook'),
    ...logins,
  });
}

async function writeFiles(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir, name);
    await writeFile(`${path}.new`, content, { mode: 0o644 });
    // Whatever the umask says.
    await chmod(`${path}.new`, 0o644);
    await rename(`${path}.new`, path);
  }
}

async function main(): Promise<void> {
  // Keys are made here, so what processes read them from is not there yet.
  const {
    HAILWAY_SERVICE_TOKEN_FILE: _token,
    QUOTE_SECRET_FILE: _quote,
    RIDE_CODE_SECRET_FILE: _code,
    PERSONAL_KEYS_FILE: _personal,
    STRIPE_WEBHOOK_SECRET_FILE: _webhook,
    ...env
  } = process.env;
  await prepare(loadConfig(env));
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = error instanceof ConfigError ? ConfigError.exitCode : 1;
});
