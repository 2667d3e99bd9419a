import { resolve } from 'node:path';
import { isSet, loadConfig, type Config } from '../../platform/config';
import { UsageError } from '../commandLine';
import { ownersUrl, type Owner } from '../stack/databases';
import { databaseVariable, isGiven, unlessSet } from '../stack/environment';
import { hasIssuer, openSecrets } from '../stack/issuer';
import { defaultDataDir } from '../stack/places';
import { portsFrom } from '../stack/ports';
import { postgresUrl } from '../stack/servers/postgres';

/**
 * The configuration of a command: what the environment names, else the processes and Temporal of the embedded stack, on
 * the ports that HAILWAY_…_PORT give it. For Kafka see `kafkaOf`, for databases `databaseOf`.
 * @throws ConfigError
 */
export function configOf(env: NodeJS.ProcessEnv): Config {
  const ports = portsFrom(env);
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const stack = {
    GATEWAY_URL: at(ports.gateway),
    STRIPE_API_BASE: at(ports['sandbox-psp']),
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    HAILWAY_TEMPORAL_UI_URL: at(ports['temporal-ui']),
  };
  return loadConfig({ ...env, ...unlessSet(env, stack) });
}

/**
 * The database of an owner: the one that the environment names, else that of the stack on the data directory, on its own
 * Postgres or on the one of POSTGRES_URL.
 * @throws UsageError where POSTGRES_URL is set and no stack was started on the data directory; ConfigError
 */
export async function databaseOf(env: NodeJS.ProcessEnv, dataDir: string, owner: Owner): Promise<string> {
  const variable = databaseVariable(owner);
  const { POSTGRES_URL: adminUrl, [variable]: named } = loadConfig(env, ['POSTGRES_URL', variable]);
  if (isGiven(env, variable)) return named;
  if (!isSet(env, 'POSTGRES_URL'))
    return ownersUrl(postgresUrl(portsFrom(env).postgres), { owner, password: owner });
  if (!hasIssuer(dataDir))
    throw new UsageError(`no stack was started on ${dataDir}: name its --data-dir, or set ${variable}`);
  const secrets = await openSecrets(dataDir);
  return ownersUrl(adminUrl, { owner, password: secrets.of(`postgres/${owner}`) });
}

/** The data directory that a command is about: of its option, of HAILWAY_DATA_DIR, or this clone's. */
export const dataDirOf = (options: { readonly 'data-dir'?: string }, env: NodeJS.ProcessEnv): string =>
  resolve(options['data-dir'] ?? defaultDataDir(env));
