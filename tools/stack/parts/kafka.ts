import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../../platform/config';
import {
  createKafka,
  kafkaAddress,
  kafkaVariables,
  withAdmin,
  type KafkaAddress,
} from '../../../platform/kafka';
import { versionOf } from '../command';
import { cacheDir, onPath } from '../places';
import { isAtLeast, versions } from '../versions';
import { copyFromMaven, findJava, findMaven, prospectOfMaven } from './java';
import { installOnce, messageOf, type Look, type PartSource, type Search } from './part';

/** A cluster that runs already, or Java and the folder with Kafka's jars. */
export type KafkaPart = KafkaAddress | { readonly java: string; readonly jars: string };

const { release, atLeast: least } = versions.kafka;
const nameInCache = `kafka-${release}`;

export function kafkaSource(search: Search): PartSource<KafkaPart> {
  const { env } = search;
  return {
    part: 'Kafka',
    places: [
      { name: 'KAFKA_BROKERS', look: () => lookAtNamedKafka(env) },
      { name: 'the PATH', look: () => lookOnPath(env) },
      { name: 'the cache', look: () => lookInCache(env) },
      { name: 'Maven', look: () => installFromMaven(search), prospect: () => prospectOfMaven(env) },
    ],
    remedies: [
      'set KAFKA_BROKERS to host:port of a broker',
      `install Java ${versions.java.atLeast} or later, and Maven (mvn) for the download`,
    ],
  };
}

/** The cluster that the environment names, with its TLS and login. */
async function lookAtNamedKafka(env: NodeJS.ProcessEnv): Promise<Look<KafkaPart>> {
  if (!env.KAFKA_BROKERS) return { reason: 'not set' };
  return lookAtKafka(kafkaAddress(loadConfig(env, kafkaVariables)));
}

export async function lookAtKafka(address: KafkaAddress): Promise<Look<KafkaPart>> {
  const brokers = address.brokers.join(',');
  const kafka = createKafka({ ...address, clientId: 'hailway-stack' });
  try {
    const cluster = await withAdmin(kafka, (admin) => admin.describeCluster());
    return { found: address, from: `${cluster.brokers.length} broker(s) at ${brokers}` };
  } catch (error) {
    return { reason: `${brokers} does not answer: ${messageOf(error)}`, final: true };
  }
}

async function lookOnPath(env: NodeJS.ProcessEnv): Promise<Look<KafkaPart>> {
  const scripts = ['kafka-topics.sh', 'kafka-topics'].flatMap((name) => onPath(name, env));
  let reason = 'no kafka-topics.sh there';
  for (const script of scripts) {
    const home = dirname(dirname(realpathSync(script)));
    const jars = [join(home, 'libs'), join(home, 'libexec', 'libs')].find((folder) => existsSync(folder));
    const version = await versionOf(script, ['--version'], /(\d+\.\d+\.\d+)/);
    if (jars === undefined) reason = `${script} has no libs folder beside it`;
    else if (version === undefined) reason = `${script} says no version`;
    else if (!isAtLeast(version, least)) reason = `${script} is ${version}, too old (${least} is needed)`;
    else return withJava(env, jars, `${version} from the PATH (${script})`);
  }
  return { reason };
}

async function withJava(env: NodeJS.ProcessEnv, jars: string, from: string): Promise<Look<KafkaPart>> {
  const found = await findJava(env);
  return 'java' in found ? { found: { java: found.java, jars }, from } : found;
}

async function lookInCache(env: NodeJS.ProcessEnv): Promise<Look<KafkaPart>> {
  const folder = join(cacheDir(env), nameInCache);
  if (!existsSync(folder)) return { reason: `nothing at ${folder}` };
  return withJava(env, join(folder, 'lib'), `${release} from the cache (${folder})`);
}

async function installFromMaven(search: Search): Promise<Look<KafkaPart>> {
  const { env, say } = search;
  const tools = await findMaven(env);
  if ('reason' in tools) return tools;
  const folder = await installOnce(cacheDir(env), nameInCache, (target) =>
    say.during('Kafka: fetching with Maven', () =>
      copyFromMaven(
        tools.mvn,
        target,
        [{ group: 'org.apache.kafka', name: 'kafka_2.13', version: release }],
        search,
      ),
    ),
  );
  return withJava(env, join(folder, 'lib'), `${release} from Maven, now in ${folder}`);
}
