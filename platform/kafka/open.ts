import type { Kafka } from 'kafkajs';
import { ConfigError, type Config } from '../config';
import { backoffMs, wait } from '../wait';
import { kafkaAddress, type kafkaVariables } from './address';
import { createKafka, withAdmin, type KafkaLog } from './client';

/** Codes of a certificate that was not signed by whom we believe, or is another host's. */
const notBelieved = new Set([
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_SIGNATURE_FAILURE', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

/**
 * A process's client of the cluster that its environment names. Credentials that the cluster refuses, or a certificate
 * that ours has not signed, fail the process with the names of the variables; a cluster that is away is waited for.
 * @throws ConfigError what is set does not fit together
 */
export function openKafka(
  clientId: string,
  context: {
    readonly config: Pick<Config, (typeof kafkaVariables)[number]>;
    readonly log: KafkaLog;
    readonly signal: AbortSignal;
    readonly fail: (error: unknown) => void;
  },
): Kafka {
  const { config, log, signal, fail } = context;
  const address = kafkaAddress(config);
  const kafka = createKafka({ ...address, clientId, log });
  if (address.tls) untilWelcome(kafka, signal).catch(fail);
  return kafka;
}

async function untilWelcome(kafka: Kafka, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await withAdmin(kafka, async () => {});
    } catch (error) {
      const wrong = wrongSetting(error);
      if (wrong !== undefined) throw new ConfigError(wrong, { cause: error });
      await wait(backoffMs(attempt, { minMs: 200, maxMs: 5_000 }), signal);
    }
  }
}

function wrongSetting(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e.name === 'KafkaJSSASLAuthenticationError')
      return 'KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD take credentials that Kafka knows: it refuses these';
    if ('code' in e && notBelieved.has(String(e.code)))
      return `KAFKA_TLS_CA takes the certificate of who has signed the brokers': theirs is not believed (${String(e.code)})`;
  }
  return undefined;
}
