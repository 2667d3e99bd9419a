import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../city/random';
import type { Found } from './found';
import { brokerDir, smallDirs as small, startHouse, type House } from './house';
import { judge, type Violation } from './judge';
import { startLoad } from './load';
import { clusterStories, smallStories, type Story } from './stories';

const FACTS_PER_SECOND = 150;

const houses = [
  { dir: 'one', brokers: 1, stories: Object.entries<Story>(smallStories) },
  { dir: 'three', brokers: 3, stories: Object.entries<Story>(clusterStories) },
] as const;

/** All of them in words. */
export const storyNames: readonly string[] = houses.flatMap(({ stories }) => stories.map(([name]) => name));

/** Where servers of the stories keep their pids. */
export const serverDirs = (dataDir: string): string[] => [
  ...[join(dataDir, 'one', small.postgres), join(dataDir, 'one', small.kafka, brokerDir(1))],
  ...[join(dataDir, 'three'), ...[1, 2, 3].map((node) => join(dataDir, 'three', brokerDir(node)))],
];

/** What small disks of the stories are mounted on. */
export const smallDirs = (dataDir: string): string[] =>
  Object.values(small).map((dir) => join(dataDir, 'one', dir));

/**
 * Plays each story once and judges it: those of one broker one after another in a house, beside it those of three.
 * @param dataDir Postgres's own user must be able to get there
 */
export async function playStories(
  dataDir: string,
  seed: number,
  onFound: (found: Found) => void,
): Promise<void> {
  const inHouse = async ({ dir, brokers, stories }: (typeof houses)[number]): Promise<void> => {
    const home = join(dataDir, dir);
    mkdirSync(home);
    chmodSync(home, 0o711);
    const house = await startHouse({ dataDir: home, brokers });
    try {
      for (const [what, story] of stories) {
        const wrong = await playIn(house, story, seed);
        onFound({ what, seed, wrong, isWell: wrong.length === 0 });
      }
    } finally {
      await house.stop();
    }
  };
  const ended = await Promise.allSettled(houses.map(inHouse));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}

/** Plays a story while facts are committed, and judges. */
async function playIn(house: House, story: Story, seed: number): Promise<Violation[]> {
  const random = seededRandom(seed, 'backbone');
  const load = startLoad(house.pool, house.topic, { random, factsPerSecond: FACTS_PER_SECOND });
  try {
    await story.play({ house, load, random });
  } catch (error) {
    return [{ invariant: 'goesOn', seen: (error as Error).message }];
  } finally {
    await load.stop();
  }
  return judge(house, load);
}
