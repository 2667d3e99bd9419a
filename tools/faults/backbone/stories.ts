import { withAdmin } from '../../../platform/kafka';
import { wait } from '../../../platform/wait';
import type { Random } from '../../city/random';
import type { Kept } from '../../stack/keep';
import type { SmallDisk } from './disk';
import type { House } from './house';
import { effectsOf } from './judge';
import type { Load } from './load';

/** What befalls a house while facts are committed, relayed and consumed. */
export interface Story {
  /** Ends when what it broke is whole again; the judge looks later. @throws when work does not go on */
  play(scene: Scene): Promise<void>;
}

export interface Scene {
  readonly house: House;
  readonly load: Load;
  readonly random: Random;
  /** What Postgres's data, or Kafka's log, lies on, in the stories of full disks. */
  readonly disk?: SmallDisk;
}

const PATIENCE_MS = 60_000;

/** Waits for a condition. @throws Error when it does not come true within a minute */
async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await Promise.resolve(holds()).catch(() => false));) {
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1_000} s: ${what}`);
    await wait(50);
  }
}

/** Work goes on: facts recorded from now on have their effect. */
async function untilWorkGoesOn({ house, load }: Scene): Promise<void> {
  const committed = load.committed();
  await until('facts are committed', () => load.committed() > committed + 50);
  const effects = await effectsOf(house);
  await until('facts have their effect', async () => (await effectsOf(house)) > effects + 50);
}

/** Down at once or in order, for a while, and up again. */
const restarted = (serverOf: (scene: Scene) => Kept, orderly: NodeJS.Signals): Story => ({
  async play(scene) {
    await untilWorkGoesOn(scene);
    const { random } = scene;
    const server = serverOf(scene);
    await server.hold(random.chance(0.5) ? 'SIGKILL' : orderly);
    await wait(random.between(0, 3_000));
    await server.release();
    await untilWorkGoesOn(scene);
  },
});

const diskOf = ({ disk }: Scene): SmallDisk => {
  if (!disk) throw new Error('impossible: this story is played on a small disk');
  return disk;
};

export const restarts = {
  'Postgres is restarted': restarted(({ house }) => house.postgres, 'SIGINT'),
  'the broker is restarted': restarted(({ house }) => house.brokers[0]!, 'SIGTERM'),
} satisfies Record<string, Story>;

export const fullDisks = {
  "Postgres's disk is full": {
    async play(scene) {
      await untilWorkGoesOn(scene);
      const before = scene.load.failed().count;
      diskOf(scene).fill();
      await until('commits fail', () => scene.load.failed().count > before + 3);
      await wait(scene.random.between(0, 5_000));
      diskOf(scene).free();
      await untilWorkGoesOn(scene);
    },
  },
  "Kafka's disk is full": {
    async play(scene) {
      await untilWorkGoesOn(scene);
      diskOf(scene).fill();
      let effects = -1;
      await until('nothing goes through any more', async () => {
        await wait(1_000);
        const before = effects;
        effects = await effectsOf(scene.house);
        return effects === before;
      });
      await wait(scene.random.between(0, 5_000));
      diskOf(scene).free();
      await untilWorkGoesOn(scene);
    },
  },
} satisfies Record<string, Story>;

export const clusterStories = {
  'the broker that leads a partition is killed': {
    async play(scene) {
      const { house, random } = scene;
      await untilWorkGoesOn(scene);
      const leader = await leaderOf(house, Math.floor(random.between(0, 6)));
      await leader.hold('SIGKILL');
      await untilWorkGoesOn(scene);
      await leader.release();
      await untilAllInSync(house);
      await untilWorkGoesOn(scene);
    },
  },
  'two of three brokers are killed': {
    async play(scene) {
      const { house, load, random } = scene;
      await untilWorkGoesOn(scene);
      const [one, other, left] = random.shuffle(house.brokers) as [Kept, Kept, Kept];
      await Promise.all([one.hold('SIGKILL'), other.hold('SIGKILL')]);
      // What was acknowledged before may still be on its way to the consumer.
      await until('nothing is acknowledged any more', () => isStill(house));
      const effects = await effectsOf(house);
      const committed = load.committed();
      await until('facts are committed all the same', () => load.committed() > committed + 300);
      if ((await effectsOf(house)) !== effects) throw new Error('a fact counted with one broker of three');
      if (left.pid() === undefined) throw new Error('the last broker does not run');
      await one.release();
      await untilWorkGoesOn(scene);
      await other.release();
      await untilAllInSync(house);
      await untilWorkGoesOn(scene);
    },
  },
} satisfies Record<string, Story>;

async function isStill(house: House): Promise<boolean> {
  const before = await effectsOf(house);
  await wait(1_500);
  return (await effectsOf(house)) === before;
}

async function leaderOf({ kafka, topic, brokers }: House, partition: number): Promise<Kept> {
  const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
  const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
  return brokers[(found?.leader ?? 1) - 1]!;
}

/** Every broker has all that counts. */
const untilAllInSync = ({ kafka, topic, brokers }: House): Promise<void> =>
  until('all brokers are in sync', async () => {
    const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    return topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === brokers.length));
  });
