import type { WorldGround } from './world';
import { judgeStory } from './judge';
import { playStory } from './play';
import { storyOf } from './story';
import { startWorld } from './world';

/** What a story has come to. */
export interface Found {
  readonly seed: number;
  /** What was wrong at its end; nothing where all is well. */
  readonly wrong: readonly string[];
  /** What happened, a line each. */
  readonly log: readonly string[];
}

/** Plays the stories of these seeds in a world of their own, so many at once. */
export async function tellStories(
  ground: WorldGround,
  seeds: readonly number[],
  { atOnce, onFound = () => undefined }: { atOnce: number; onFound?: (found: Found) => void },
): Promise<Found[]> {
  const world = await startWorld(ground);
  const [left, all]: [number[], Found[]] = [[...seeds], []];
  const teller = async (): Promise<void> => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      const played = await playStory(world, storyOf(seed));
      const found = { seed, wrong: await judgeStory(played), log: played.log };
      await played.cast.provider.close();
      all.push(found);
      onFound(found);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, teller));
  } finally {
    await world.stop();
  }
  return all;
}

/** So many seeds, one after another. */
export const seedsFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i);

/** What was wrong, and what had happened, a line each. */
export const asText = ({ seed, wrong, log }: Found): string =>
  [`seed ${seed}: ${wrong.join('; ')}`, ...log.map((line) => `  ${line}`)].join('\n');
