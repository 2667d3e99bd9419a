import { openIssuer, openSecrets } from '../stack/issuer';
import type { Say } from '../stack/say';
import type { ServerName } from '../stack/servers';
import type { Wanted } from '../stack/startOne';
import { startHouse, startMap, startProvider, type Ground, type House } from './ride/house';
import { startBenchServers } from './servers';

/** What has to be stopped, the last first. */
export type Stops = (() => Promise<unknown>)[];

/** Measures on servers, a map and a provider of its own; all that `measure` adds to `stops` ends with them. */
export async function onGround<T>(
  say: Say,
  measure: (ground: Ground, stops: Stops) => Promise<T>,
  names: readonly ServerName[] = ['postgres', 'temporal'],
): Promise<T> {
  const stops: Stops = [];
  try {
    return await measure(await prepareGround(say, stops, names), stops);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function prepareGround(say: Say, stops: Stops, names: readonly ServerName[]): Promise<Ground> {
  const servers = await say.during(`Starting ${names.join(', ')}`, () => startBenchServers(names, say));
  stops.push(() => servers.stop());
  const [issuer, secrets] = [await openIssuer(servers.dataDir), await openSecrets(servers.dataDir)];
  const map = await startMap();
  stops.push(() => map.stop());
  const common = { servers, issuer, secrets, locationUrl: map.url };
  const provider = await startProvider(common);
  stops.push(() => provider.stop());
  return { ...common, provider };
}

/** The published samples' style, and Hailway. */
export type Both<T> = Readonly<Record<'sample' | 'hailway', T>>;

/**
 * Starts a house for each contestant, one after the other.
 * @param begin makes of a house what is measured: what it adds to `stops` ends before the house
 */
export function startContestants<C>(
  ground: Ground,
  processes: Both<readonly Wanted[]>,
  { say, stops, begin }: { say: Say; stops: Stops; begin: (house: House) => Promise<C> },
): Promise<Both<C>> {
  const { gateway, pricing } = ground.servers.ports;
  const start = async (name: 'sample' | 'hailway', port: number): Promise<C> => {
    const house = await startHouse(ground, { name, port, processes: processes[name] });
    stops.push(() => house.stop());
    return begin(house);
  };
  return say.during('Starting the contestants', async () => ({
    sample: await start('sample', gateway),
    hailway: await start('hailway', pricing),
  }));
}

/** `count` tasks, one after another in each of `atOnce` hands: as many a second as there is power for. */
export async function inHands<T>(
  { count, atOnce }: { count: number; atOnce: number },
  task: (n: number, hand: number) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  let begun = 0;
  const work = async (hand: number): Promise<void> => {
    while (begun < count) {
      begun += 1;
      done.push(await task(begun, hand));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, (_, hand) => work(hand)));
  return done;
}
