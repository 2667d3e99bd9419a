import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, isExecutable, onPath } from '../places';
import { versions } from '../versions';
import { copyFromMaven, findJava, findMaven, prospectOfMaven } from './java';
import { installOnce, type Look, type PartSource, type Search } from './part';

const { release } = versions.temporalTestServer;
const nameInCache = `temporal-test-server-${release}`;

/** Temporal's time-skipping test server: the path of an executable that takes the port as its argument. */
export function testServerSource(search: Search): PartSource<string> {
  const { env } = search;
  return {
    part: 'Temporal test server',
    places: [
      { name: 'HAILWAY_TEST_SERVER', look: () => lookAtPath(env.HAILWAY_TEST_SERVER) },
      { name: 'the PATH', look: () => lookOnPath(env) },
      { name: 'the cache', look: () => lookInCache(env) },
      { name: 'Maven', look: () => installFromMaven(search), prospect: () => prospectOfMaven(env) },
    ],
    remedies: [
      `install Java ${versions.java.atLeast} or later, and Maven (mvn) for the download`,
      'set HAILWAY_TEST_SERVER to the path of temporal-test-server',
    ],
  };
}

function lookAtPath(path: string | undefined): Promise<Look<string>> {
  if (!path) return Promise.resolve({ reason: 'not set' });
  return Promise.resolve(
    isExecutable(path)
      ? { found: path, from: `at HAILWAY_TEST_SERVER (${path})` }
      : { reason: `${path} is no executable`, final: true },
  );
}

function lookOnPath(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const [found] = onPath('temporal-test-server', env);
  return Promise.resolve(
    found === undefined
      ? { reason: 'no temporal-test-server there' }
      : { found, from: `from the PATH (${found})` },
  );
}

async function lookInCache(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const script = join(cacheDir(env), nameInCache, 'temporal-test-server');
  if (!isExecutable(script)) return { reason: `nothing at ${script}` };
  const java = await findJava(env);
  return 'reason' in java ? java : { found: script, from: `${release} from the cache (${script})` };
}

async function installFromMaven(search: Search): Promise<Look<string>> {
  const { env, say } = search;
  const tools = await findMaven(env);
  if ('reason' in tools) return tools;
  const folder = await installOnce(cacheDir(env), nameInCache, async (target) => {
    await say.during('Temporal test server: fetching with Maven', () =>
      copyFromMaven(
        tools.mvn,
        target,
        [{ group: 'io.temporal', name: 'temporal-test-server', version: release }],
        search,
      ),
    );
    const script = join(target, 'temporal-test-server');
    // The SDK starts it as one program, with the port as its argument.
    await writeFile(
      script,
      `#!/bin/sh
java="\${JAVA_HOME:+$JAVA_HOME/bin/java}"
exec "\${java:-java}" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \\
  -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`,
    );
    await chmod(script, 0o755);
  });
  const script = join(folder, 'temporal-test-server');
  return { found: script, from: `${release} from Maven, now in ${folder}` };
}
