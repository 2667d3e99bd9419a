import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@jest/types';
import { prepareNamespace } from '../../tools/stack/namespace';
import { takeTestParts } from '../../tools/stack/parts';
import { freePorts } from '../../tools/stack/ports';
import { createSay } from '../../tools/stack/say';
import { startServers } from '../../tools/stack/servers';
import { testWorkflows, writeBundle } from './bundles';
import { keepForTeardown } from './run';

/**
 * Starts Postgres, Kafka and Temporal once for a run of jest, on free ports with data in a temporary folder, and says
 * where they are in the environment of the tests. A run of nothing but unit tests needs none.
 */
export default async function globalSetup(config: Config.GlobalConfig): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'hailway-test-'));
  // Where we are root, Postgres runs as another user, who must get to its folder inside.
  await chmod(dir, 0o711);
  const guard = spawn(process.execPath, [join(__dirname, 'guard.mjs'), dir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  guard.unref();
  process.env.HAILWAY_TEST_DIR = dir;
  process.env.HAILWAY_TEST_RUN = randomBytes(3).toString('hex');
  if (unitTestsOnly(config)) return keepForTeardown({ guard });

  const say = createSay(process.stderr);
  const env = process.env;
  // `npm test` has looked already; jest alone looks by itself.
  const found = env.HAILWAY_TEST_PARTS;
  const { parts, testServer, chromium, stripeMock } = found
    ? (JSON.parse(found) as Awaited<ReturnType<typeof takeTestParts>>)
    : await takeTestParts({ env, say });
  const servers = await startServers({
    parts,
    dataDir: join(dir, 'servers'),
    ports: await freePorts(),
    say,
  });
  env.POSTGRES_URL = servers.postgresUrl;
  env.KAFKA_BROKERS = servers.kafka.brokers.join(',');
  env.TEMPORAL_ADDRESS = servers.temporalAddress;
  env.HAILWAY_TEST_SERVER = testServer;
  env.HAILWAY_CHROMIUM = chromium;
  env.HAILWAY_STRIPE_MOCK = stripeMock;
  // Of a server that is somebody else's, that somebody says where its UI is.
  if (servers.temporalUiUrl !== undefined) env.HAILWAY_TEMPORAL_UI_URL = servers.temporalUiUrl;
  keepForTeardown({ guard, servers, ownPostgres: 'binaries' in parts.postgres });
  // Workflows of tests that have no namespace of their own hang in one that does not know what they are found by.
  await prepareNamespace(servers.temporalAddress, 'default');
  env.HAILWAY_TEST_BUNDLE = await writeBundle(testWorkflows, join(dir, 'workflows.js'));
}

function unitTestsOnly(config: Config.GlobalConfig): boolean {
  const { patterns } = config.testPathPatterns;
  return patterns.length > 0 && patterns.every((pattern) => /\bunit\b/.test(pattern));
}
