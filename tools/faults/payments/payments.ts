import { randomBytes } from 'node:crypto';
import { startBenchServers, type BenchServers } from '../../bench/servers';
import { ensureDatabase, migrateOwner } from '../../stack/databases';
import type { Say } from '../../stack/say';
import { endProcess } from '../../stack/servers/daemon';
import { startOne } from '../../stack/startOne';
import type { FaultOptions } from '../options';
import type { Ground } from './house';
import { sweep, type Found } from './sweep';

const HOUSES_AT_ONCE = 3;
const ANY_MOMENTS = 6;

/**
 * Kills payments workers (real processes, SIGKILL) at each moment of each call to the provider, and at moments in
 * between, and holds every payment against the provider's own books. Says what it hit and what it found.
 */
export async function paymentFaults(
  { seed, repeats }: FaultOptions,
  say: Say,
): Promise<{ allIsWell: boolean }> {
  const servers = await say.during('Starting postgres, temporal', () =>
    startBenchServers(['postgres', 'temporal'], say),
  );
  const { dataDir, ports } = servers;
  const provider = await startOne({
    name: 'sandbox-psp',
    wanted: { process: 'sandbox-psp' },
    port: ports['sandbox-psp'],
    env: { PATH: process.env.PATH, NODE_ENV: 'production', HAILWAY_DATA_DIR: dataDir },
    dataDir,
  });
  const found: Found[] = [];
  try {
    for (let round = 0; round < repeats; round += 1) {
      say.line(`Round ${round + 1} of ${repeats}, seed ${seed + round}`);
      const options = { atOnce: HOUSES_AT_ONCE, anyMoments: ANY_MOMENTS, seed: seed + round };
      found.push(
        ...(await sweep(groundOf(servers), { ...options, onFound: (one) => say.line(asText(one)) })),
      );
    }
  } finally {
    await endProcess(provider.pid, { signal: 'SIGTERM', deadlineMs: 10_000 });
    await servers.stop();
  }
  const harmed = found.filter(({ wrong }) => wrong.length > 0);
  say.line(`${found.length} crashes, ${harmed.length} with harm`);
  for (const one of harmed) say.line(asText(one));
  return { allIsWell: harmed.length === 0 };
}

const asText = ({ when, wrong }: Found): string =>
  `${when}: ${wrong.length === 0 ? 'all is well' : wrong.join('; ')}`;

const groundOf = ({ temporalAddress, postgresUrl, ports, dataDir }: BenchServers): Ground => ({
  temporalAddress,
  dataDir,
  providerUrl: `http://127.0.0.1:${ports['sandbox-psp']}`,
  async createDatabase(owner) {
    const database = `crash_${owner}_${randomBytes(4).toString('hex')}`;
    const url = await ensureDatabase(postgresUrl, { owner, database, password: owner });
    await migrateOwner(owner, url, postgresUrl);
    return url;
  },
});
