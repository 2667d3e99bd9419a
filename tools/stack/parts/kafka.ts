import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createKafka, withAdmin } from '../../../platform/kafka';
import { versionOf } from '../command';
import { cacheDir, onPath } from '../places';
import type { Say } from '../say';
import { isAtLeast, versions } from '../versions';
import { copyFromMaven, findJava } from './java';
import { installOnce, messageOf, takePart, type Look } from './part';

/** A cluster that runs already, or Java and the folder with Kafka's jars. */
export type KafkaPart = { readonly brokers: string } | { readonly java: string; readonly jars: string };

const { release, atLeast: least } = versions.kafka;
const nameInCache = `kafka-${release}`;

/** @throws PartMissing */
export function takeKafka(env: NodeJS.ProcessEnv, say: Say): Promise<KafkaPart> {
  return takePart<KafkaPart>(
    'Kafka',
    [
      { name: 'KAFKA_BROKERS', look: () => lookAtAddress(env.KAFKA_BROKERS) },
      { name: 'the PATH', look: () => lookOnPath(env) },
      { name: 'the cache', look: () => lookInCache(env) },
      { name: 'Maven', look: () => installFromMaven(env, say) },
    ],
    [
      'set KAFKA_BROKERS to host:port of a broker',
      `install Java ${versions.java.atLeast} or later, and Maven (mvn) for the download`,
    ],
    say,
  );
}

async function lookAtAddress(brokers: string | undefined): Promise<Look<KafkaPart>> {
  if (!brokers) return { reason: 'not set' };
  const kafka = createKafka({ brokers: brokers.split(','), clientId: 'hailway-stack' });
  try {
    const cluster = await withAdmin(kafka, (admin) => admin.describeCluster());
    return { found: { brokers }, from: `${cluster.brokers.length} broker(s) at KAFKA_BROKERS` };
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

async function installFromMaven(env: NodeJS.ProcessEnv, say: Say): Promise<Look<KafkaPart>> {
  const [mvn] = onPath('mvn', env);
  const java = await findJava(env);
  if ('reason' in java) return java;
  if (mvn === undefined) return { reason: 'no mvn on the PATH' };
  const folder = await installOnce(cacheDir(env), nameInCache, (target) =>
    say.during('Kafka: fetching with Maven', () =>
      copyFromMaven(mvn, target, [{ group: 'org.apache.kafka', name: 'kafka_2.13', version: release }]),
    ),
  );
  return withJava(env, join(folder, 'lib'), `${release} from Maven, now in ${folder}`);
}
