import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../city/random';
import type { Say } from '../../stack/say';
import { killEverything } from '../../stack/stack';
import type { FaultOptions } from '../options';
import { smallDisk, type SmallDisk } from './disk';
import { startHouse, type House } from './house';
import { judge } from './judge';
import { startLoad } from './load';
import { clusterStories, fullDisks, restarts, type Story } from './stories';

/** Megabytes: what an empty server takes, and some more. */
const SMALL_DISK = 400;

/** Plays a story in a house of its own. @returns what is wrong then, a line each */
export async function playInHouse(
  story: Story,
  options: {
    readonly dataDir: string;
    readonly seed: number;
    readonly brokers?: 1 | 3;
    /** Whose data lies on a small disk. */
    readonly small?: 'postgres' | 'kafka';
  },
): Promise<string[]> {
  const { dataDir, seed, brokers = 1, small } = options;
  let house: House | undefined;
  const pid = (): number | undefined => (small === 'kafka' ? house?.brokers[0] : house?.postgres)?.pid();
  const disk = small && smallDisk({ dir: join(dataDir, 'small'), megabytes: SMALL_DISK, pid });
  try {
    house = await startHouse({
      ...{ dataDir, brokers },
      ...(disk && small === 'postgres' && { postgresDir: disk.dir }),
      ...(disk && small === 'kafka' && { brokersDir: disk.dir }),
    });
    return await playIn(house, story, { seed, ...(disk && { disk }) });
  } finally {
    disk?.free();
    await house?.stop();
    disk?.remove();
  }
}

/** Plays a story while facts are committed, and judges. */
export async function playIn(
  house: House,
  story: Story,
  { seed, disk }: { readonly seed: number; readonly disk?: SmallDisk },
): Promise<string[]> {
  const random = seededRandom(seed, 'backbone');
  const load = startLoad(house.pool, house.topic, random);
  try {
    await story.play({ house, load, random, ...(disk && { disk }) });
  } catch (error) {
    return [(error as Error).message];
  } finally {
    await load.stop();
  }
  return judge(house, load);
}

/** Breaks the servers under outbox, relay and consumer, story by story, and says what it found. */
export async function backboneFaults(
  { seed, repeats }: FaultOptions,
  say: Say,
): Promise<{ allIsWell: boolean }> {
  let harmed = 0;
  for (let round = 0; round < repeats; round += 1) {
    say.line(`Round ${round + 1} of ${repeats}, seed ${seed + round}`);
    for (const [name, story, more] of stories) {
      const dataDir = await mkdtemp(join(tmpdir(), 'hailway-faults-'));
      // Where we are root, Postgres runs as another user, who must get to its folder inside.
      await chmod(dataDir, 0o711);
      try {
        const wrong = await interruptible(dataDir, () =>
          playInHouse(story, { dataDir, seed: seed + round, ...more }),
        );
        if (wrong.length > 0) harmed += 1;
        say.line(`${name}: ${wrong.length === 0 ? 'all is well' : wrong.slice(0, 10).join('; ')}`);
      } finally {
        await rm(dataDir, { recursive: true, force: true });
      }
    }
  }
  return { allIsWell: harmed === 0 };
}

const stories: readonly (readonly [string, Story, object])[] = [
  ...Object.entries(restarts).map(([name, story]) => [name, story, {}] as const),
  ["Postgres's disk is full", fullDisks["Postgres's disk is full"], { small: 'postgres' }],
  ["Kafka's disk is full", fullDisks["Kafka's disk is full"], { small: 'kafka' }],
  ...Object.entries(clusterStories).map(([name, story]) => [name, story, { brokers: 3 }] as const),
];

/** A signal ends the servers at once and removes what they wrote. */
async function interruptible<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const hurry = (): void => {
    const small = join(dataDir, 'small');
    const brokers = [1, 2, 3].map((node) => `broker-${node}`);
    for (const dir of [dataDir, small]) {
      killEverything(dir);
      for (const broker of brokers) killEverything(join(dir, broker));
    }
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hurry);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.off(signal, hurry);
  }
}
