import { join } from 'node:path';
import { seededRandom } from '../../city/random';
import { cells, inWords, type Cell } from './cells';
import { crash, crashWrong } from './crash';
import { prepareGround } from './crashSite';
import type { Found } from './found';
import type { Violation } from './judge';
import { startServers } from './servers';
import { showing, wrongWays, type WrongWay } from './wrong/ways';

/** A cell, and what is drawn in it. */
export interface Hit {
  readonly cell: Cell;
  readonly seed: number;
}

/** So many hits: each cell once in any order, and again with the next seed when there is no other left. */
export const hitsOf = (seed: number, count: number): Hit[] =>
  Array.from({ length: Math.ceil(count / cells.length) }, (_, round) =>
    seededRandom(seed + round, 'cells')
      .shuffle(cells)
      .map((cell) => ({ cell, seed: seed + round })),
  )
    .flat()
    .slice(0, count);

/** Where servers of the crashes keep their pids. */
export const crashDir = (dataDir: string): string => join(dataDir, 'crashes');

/** Sites that are hit at once: each has some twenty connections to Postgres, which has 200. */
const AT_ONCE = 7;

/**
 * Hits ours, and goes each wrong way once where it comes to light, on servers of their own.
 * @param dataDir Postgres's own user must be able to get there
 */
export async function playCrashes(
  dataDir: string,
  hits: readonly Hit[],
  seed: number,
  onFound: (found: Found) => void,
): Promise<void> {
  const servers = await startServers(crashDir(dataDir));
  try {
    const ground = await prepareGround(servers);
    const hit = async ({ cell, seed: drawn }: Hit): Promise<Found> => {
      const wrong = await crash(ground, cell, drawn).catch(failed);
      return { what: inWords(cell), seed: drawn, wrong, isWell: wrong.length === 0 };
    };
    const goWrong = async (way: WrongWay): Promise<Found> => {
      const wrong = await crashWrong(ground, way, seed).catch(failed);
      const { sought, found } = showing(way, wrong);
      return { what: way, seed, wrong, sought, isWell: found.length > 0 };
    };
    const left = [
      ...hits.map((one) => () => hit(one)),
      ...(Object.keys(wrongWays) as WrongWay[]).map((way) => () => goWrong(way)),
    ];
    const hand = async (): Promise<void> => {
      for (let next = left.shift(); next; next = left.shift()) onFound(await next());
    };
    await Promise.all(Array.from({ length: AT_ONCE }, hand));
  } finally {
    await servers.stop();
  }
}

const failed = (error: Error): Violation[] => [{ invariant: 'goesOn', seen: error.message }];
