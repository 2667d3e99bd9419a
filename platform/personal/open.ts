import type { Config } from '../config';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { createVault, type Vault } from '../personal';
import { createPool } from '../postgres';
import { createKeyStore, masterKeys } from './keyStore';

/** One statement by a primary key: what takes longer is away, and its caller has a deadline. */
const STATEMENT_TIMEOUT_MS = 1_500;

/**
 * The vault of a process. That nobody can be asked for keys is found out when one is needed.
 * @throws ConfigError without a master key
 */
export function openVault(
  config: Pick<Config, 'KEYS_DATABASE_URL' | 'PERSONAL_KEYS'>,
  { name, log, metrics }: { readonly name: string; readonly log: Logger; readonly metrics: Metrics },
): { readonly vault: Vault; close(): Promise<void> } {
  const masters = masterKeys(config.PERSONAL_KEYS);
  const pool = createPool(config.KEYS_DATABASE_URL, {
    ...{ applicationName: name, max: 2, statementTimeoutMs: STATEMENT_TIMEOUT_MS, log },
    lockTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  metrics.watchPool('keys', pool);
  return { vault: createVault({ keys: createKeyStore(pool, masters) }), close: () => pool.end() };
}
