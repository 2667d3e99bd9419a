import { principals } from '../../contracts/access';
import type { KafkaAddress } from '../../platform/kafka';
import type { Kept } from '../../tools/stack/keep';
import { takeParts } from '../../tools/stack/parts';
import { freePorts } from '../../tools/stack/ports';
import { silent } from '../../tools/stack/say';
import { startServer } from '../../tools/stack/servers';
import { embeddedKafka, kafkaPassword } from '../../tools/stack/servers/kafkaSecurity';
import { prepareKafka, type KafkaPreparation } from '../../tools/stack/topics';
import { newDataDir } from './wholeStack';

export interface SecuredBroker {
  readonly dataDir: string;
  readonly broker: Kept;
  /** As who may do everything. */
  readonly admin: KafkaAddress;
  readonly preparation: KafkaPreparation;
  /** As one of our processes, or whoever says so. */
  addressOf(username: string, password?: string): KafkaAddress;
}

/** A broker that asks for TLS, a login and rights, prepared as `npm start` does. */
export async function startSecuredBroker(prefix: string): Promise<SecuredBroker> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env.KAFKA_BROKERS;
  const dataDir = newDataDir();
  const parts = await takeParts({ env, say: silent });
  const ports = await freePorts();
  const broker = (await startServer('kafka', { parts, ports, dataDir, say: silent, kafkaSecurity: true }))!;
  const admin = await embeddedKafka(dataDir, ports.kafka);
  const passwords = new Map<string, string>();
  for (const principal of principals) passwords.set(principal, await kafkaPassword(dataDir, principal));
  const preparation: KafkaPreparation = {
    ...{ address: admin, prefix, replicas: 1, access: true },
    passwordOf: (principal) => passwords.get(principal)!,
  };
  await prepareKafka(preparation);
  return {
    ...{ dataDir, broker, admin, preparation },
    addressOf: (username, password = passwords.get(username)!) => ({
      ...admin,
      sasl: { username, password },
    }),
  };
}
