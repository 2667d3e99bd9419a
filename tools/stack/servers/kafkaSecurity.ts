import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { principals } from '../../../contracts/access';
import { ConfigError } from '../../../platform/config';
import type { KafkaAddress } from '../../../platform/kafka';
import { runCommand } from '../command';
import { openSecrets } from '../issuer';

/** Who may do everything: the stack itself, which makes topics, users and rights. */
const adminName = 'hailway-admin';
/** The subject of the broker's certificate, by which broker and controller know each other. */
const nodeName = 'hailway-kafka';

/** What a broker that asks for TLS, a login and rights is made with. */
export interface KafkaSecurity {
  readonly keyStore: string;
  readonly keyStorePassword: string;
  /** The certificate, which is its own authority. */
  readonly certificate: string;
  readonly adminPassword: string;
}

const folderOf = (dataDir: string): string => join(dataDir, 'kafka', 'security');
const certificateOf = (dataDir: string): string => join(folderOf(dataDir), 'ca.pem');

/** The password that a process of the stack logs in with. */
export const kafkaPassword = async (dataDir: string, principal: string): Promise<string> =>
  (await openSecrets(dataDir)).of(`kafka/${principal}`);

/** Whether the embedded Kafka of this data directory was made with security. */
export const hasKafkaSecurity = (dataDir: string): boolean => existsSync(certificateOf(dataDir));

/** Where the embedded Kafka of a data directory is, and how the stack itself logs in. */
export async function embeddedKafka(dataDir: string, port: number): Promise<KafkaAddress> {
  const brokers = [`127.0.0.1:${port}`];
  if (!hasKafkaSecurity(dataDir)) return { brokers };
  return {
    brokers,
    tls: { ca: readFileSync(certificateOf(dataDir), 'utf8') },
    sasl: { username: adminName, password: await kafkaPassword(dataDir, adminName) },
  };
}

/** What each process of the stack is told of an embedded Kafka with security, by the process's name. */
export async function kafkaLogins(dataDir: string): Promise<Record<string, NodeJS.ProcessEnv>> {
  const logins: Record<string, NodeJS.ProcessEnv> = {};
  for (const principal of principals)
    logins[principal] = {
      KAFKA_TLS_CA: certificateOf(dataDir),
      KAFKA_SASL_USERNAME: principal,
      KAFKA_SASL_PASSWORD: await kafkaPassword(dataDir, principal),
    };
  return logins;
}

/**
 * The security of a data directory. It is made with the directory's Kafka, because the first login is part of the log
 * that is formatted then, and stays: `wanted` says it for a new one only.
 * @throws ConfigError it is wanted of a Kafka that was made without
 */
export async function kafkaSecurity(options: {
  readonly java: string;
  readonly dataDir: string;
  readonly wanted: boolean;
}): Promise<KafkaSecurity | undefined> {
  const { java, dataDir, wanted } = options;
  const formatted = existsSync(join(dataDir, 'kafka', 'log', 'meta.properties'));
  if (!hasKafkaSecurity(dataDir)) {
    if (!wanted) return undefined;
    if (formatted)
      throw new ConfigError(
        `HAILWAY_KAFKA_SECURITY takes yes for a new data directory: Kafka in ${dataDir} was made without. ` +
          'Name another with --data-dir.',
      );
    await makeCertificate(java, dataDir);
  }
  return {
    keyStore: join(folderOf(dataDir), 'keystore.p12'),
    keyStorePassword: await kafkaPassword(dataDir, 'keystore'),
    certificate: certificateOf(dataDir),
    adminPassword: await kafkaPassword(dataDir, adminName),
  };
}

/** A certificate for this machine's loopback address that is its own authority, by the keytool beside the java. */
async function makeCertificate(java: string, dataDir: string): Promise<void> {
  const folder = folderOf(dataDir);
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const keytool = join(dirname(realpathSync(java)), 'keytool');
  const password = await kafkaPassword(dataDir, 'keystore');
  const store = ['-alias', 'kafka', '-keystore', join(unfinished, 'keystore.p12'), '-storepass', password];
  await runCommand(keytool, [
    ...['-genkeypair', ...store, '-storetype', 'PKCS12', '-keyalg', 'EC', '-keysize', '256'],
    ...['-dname', `CN=${nodeName}`, '-validity', '3650', '-ext', 'SAN=ip:127.0.0.1,dns:localhost'],
  ]);
  await runCommand(keytool, ['-exportcert', '-rfc', ...store, '-file', join(unfinished, 'ca.pem')]);
  await rename(unfinished, folder);
}

/** Settings of a broker: its clients log in over TLS, its controller knows it by its certificate, and all is denied. */
export const securityProperties = (security: KafkaSecurity): Readonly<Record<string, string | boolean>> => ({
  'listener.security.protocol.map': 'CLIENT:SASL_SSL,CONTROLLER:SSL',
  'ssl.keystore.type': 'PKCS12',
  'ssl.keystore.location': security.keyStore,
  'ssl.keystore.password': security.keyStorePassword,
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': security.certificate,
  'listener.name.controller.ssl.client.auth': 'required',
  'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
  'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
  'listener.name.client.scram-sha-512.sasl.jaas.config':
    'org.apache.kafka.common.security.scram.ScramLoginModule required ' +
    `username="${adminName}" password="${security.adminPassword}";`,
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': false,
  'super.users': `User:${adminName};User:CN=${nodeName}`,
});

/** What the log is formatted with: the login by which all others are made. */
export const firstLogin = ({ adminPassword }: KafkaSecurity): string[] => [
  '--add-scram',
  `SCRAM-SHA-512=[name=${adminName},password=${adminPassword}]`,
];
