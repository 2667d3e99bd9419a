import { readFileSync } from 'node:fs';
import { ConfigError, type Config } from '../config';

/** Where a cluster is, and what it asks of whoever comes. */
export interface KafkaAddress {
  /** host:port of some of its brokers. */
  readonly brokers: readonly string[];
  /** PEM of the authority that has signed the brokers' certificates; without one the system's are believed. */
  readonly tls?: { readonly ca?: string };
  readonly sasl?: { readonly username: string; readonly password: string };
}

export const kafkaVariables = [
  'KAFKA_BROKERS',
  'KAFKA_TLS_CA',
  'KAFKA_SASL_USERNAME',
  'KAFKA_SASL_PASSWORD',
] as const;

/**
 * What the environment says of Kafka.
 * @throws ConfigError when it does not fit together: half a pair of credentials, a password without TLS, no such file
 */
export function kafkaAddress(config: Pick<Config, (typeof kafkaVariables)[number]>): KafkaAddress {
  const { KAFKA_BROKERS: brokers, KAFKA_TLS_CA: ca, KAFKA_SASL_USERNAME: username } = config;
  const password = config.KAFKA_SASL_PASSWORD;
  if ((username === '') !== (password === ''))
    throw new ConfigError('KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are set together or not at all');
  if (username !== '' && ca === '')
    throw new ConfigError('KAFKA_TLS_CA is set where KAFKA_SASL_USERNAME is: nobody logs in without TLS');
  return {
    brokers,
    ...(ca !== '' && { tls: ca === 'system' ? {} : { ca: readAuthority(ca) } }),
    ...(username !== '' && { sasl: { username, password } }),
  };
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError('KAFKA_TLS_CA takes a file that can be read, system, or nothing', { cause: error });
  }
}
