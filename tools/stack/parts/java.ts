import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, versionOf } from '../command';
import { isExecutable, onPath } from '../places';
import { isAtLeast, versions } from '../versions';
import type { Look, Search } from './part';

/**
 * The Java that runs Kafka and the test server: JAVA_HOME's, or the first on the PATH.
 * @returns its path, or why there is none
 */
export async function findJava(env: NodeJS.ProcessEnv): Promise<{ java: string } | { reason: string }> {
  const home = env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin', 'java')].filter(isExecutable) : [];
  const least = versions.java.atLeast;
  let reason = 'no java on the PATH';
  for (const java of [...home, ...onPath('java', env)]) {
    const version = await versionOf(java, ['-version'], /version "(\d+(?:\.\d+)*)/);
    if (version !== undefined && isAtLeast(version, least)) return { java };
    reason = `${java} is ${version ?? 'of no known version'}, and ${least} is needed`;
  }
  return { reason };
}

/** What a download with Maven takes, or what of it is missing. */
export async function findMaven(env: NodeJS.ProcessEnv): Promise<{ mvn: string } | { reason: string }> {
  const java = await findJava(env);
  if ('reason' in java) return java;
  const [mvn] = onPath('mvn', env);
  return mvn === undefined ? { reason: 'no mvn on the PATH' } : { mvn };
}

export async function prospectOfMaven(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const tools = await findMaven(env);
  if ('reason' in tools) return tools;
  return { found: tools.mvn, from: 'not there yet; the first start fetches it with Maven' };
}

export interface Artifact {
  readonly group: string;
  readonly name: string;
  readonly version: string;
}

/**
 * Copies artifacts and all they depend on from Maven's repositories into `<folder>/lib`.
 * @throws CommandFailed with Maven's last lines
 */
export async function copyFromMaven(
  mvn: string,
  folder: string,
  artifacts: readonly Artifact[],
  { env, signal }: Search,
): Promise<void> {
  const dependencies = artifacts.map(
    ({ group, name, version }) =>
      `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`,
  );
  await writeFile(
    join(folder, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>hailway</groupId><artifactId>part</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>\n`,
  );
  const plugin = `org.apache.maven.plugins:maven-dependency-plugin:${versions.mavenDependencyPlugin}`;
  await runCommand(
    mvn,
    ['-q', '-B', `${plugin}:copy-dependencies`, '-DoutputDirectory=lib', '-DincludeScope=runtime'],
    { cwd: folder, env, signal },
  );
}
