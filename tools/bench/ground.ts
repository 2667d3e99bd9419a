import { openIssuer, openSecrets } from '../stack/issuer';
import type { Say } from '../stack/say';
import { startMap, startProvider, type Ground } from './ride/house';
import { startBenchServers } from './servers';

/** What has to be stopped, the last first. */
export type Stops = (() => Promise<unknown>)[];

/** Starts the servers that a bench of rides or payments stands on, with a map and a provider. */
export async function prepareGround(say: Say, stops: Stops): Promise<Ground> {
  const servers = await say.during('Starting postgres, temporal', () =>
    startBenchServers(['postgres', 'temporal'], say),
  );
  stops.push(() => servers.stop());
  const [issuer, secrets] = [await openIssuer(servers.dataDir), await openSecrets(servers.dataDir)];
  const map = await startMap();
  stops.push(() => map.stop());
  const common = { servers, issuer, secrets, locationUrl: map.url };
  const provider = await startProvider(common);
  stops.push(() => provider.stop());
  return { ...common, provider };
}
