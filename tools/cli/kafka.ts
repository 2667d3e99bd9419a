import { isSet, loadConfig } from '../../platform/config';
import { kafkaAddress, kafkaVariables, type KafkaAddress } from '../../platform/kafka';
import { portsFrom } from '../stack/ports';
import { embeddedKafka } from '../stack/servers/kafkaSecurity';
import type { KafkaPreparation } from '../stack/topics';

/** The cluster that the environment names, or the embedded stack's with the stack's own login. @throws ConfigError */
export const kafkaOf = async (env: NodeJS.ProcessEnv, dataDir: string): Promise<KafkaAddress> =>
  isSet(env, 'KAFKA_BROKERS')
    ? kafkaAddress(loadConfig(env, kafkaVariables))
    : embeddedKafka(dataDir, portsFrom(env).kafka);

/** What is declared for that cluster; logins and their passwords are for whoever sets up. */
export async function kafkaPreparation(env: NodeJS.ProcessEnv, dataDir: string): Promise<KafkaPreparation> {
  const config = loadConfig(env, ['KAFKA_TOPIC_PREFIX', 'KAFKA_REPLICATION_FACTOR']);
  const address = await kafkaOf(env, dataDir);
  return {
    address,
    prefix: config.KAFKA_TOPIC_PREFIX,
    replicas: config.KAFKA_REPLICATION_FACTOR,
    access: address.sasl !== undefined,
  };
}
