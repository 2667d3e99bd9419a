import { withAdmin } from '../../../platform/kafka';
import { wait } from '../../../platform/wait';
import type { Random } from '../../city/random';
import type { Kept } from '../../stack/keep';
import type { SmallDisk } from './disk';
import type { House } from './house';
import { effectsOf } from './judge';
import type { Load } from './load';
import { until, untilWorkGoesOn } from './until';

/** What befalls a house while facts are committed, relayed and consumed. */
export interface Story {
  /** Ends when what it broke is whole again; the judge looks later. @throws when work does not go on */
  play(scene: Scene): Promise<void>;
}

export interface Scene {
  readonly house: House;
  readonly load: Load;
  readonly random: Random;
}

/** Down at once or in order, for a while, and up again. */
const restarted = (serverOf: (scene: Scene) => Kept, orderly: NodeJS.Signals): Story => ({
  async play(scene) {
    await untilWorkGoesOn(scene.house, scene.load);
    const { random } = scene;
    const server = serverOf(scene);
    await server.hold(random.chance(0.5) ? 'SIGKILL' : orderly);
    await wait(random.between(0, 3_000));
    await server.release();
    await untilWorkGoesOn(scene.house, scene.load);
  },
});

const diskOf = ({ house: { disks } }: Scene, of: 'postgres' | 'kafka'): SmallDisk => {
  if (!disks) throw new Error('impossible: this story is played on small disks');
  return disks[of];
};

/** Of one broker. */
export const smallStories = {
  'Postgres is restarted': restarted(({ house }) => house.postgres, 'SIGINT'),
  'the broker is restarted': restarted(({ house }) => house.brokerServers[0]!, 'SIGTERM'),
  "Postgres's disk is full": {
    async play(scene) {
      await untilWorkGoesOn(scene.house, scene.load);
      const before = scene.load.failed().count;
      diskOf(scene, 'postgres').fill();
      await until('commits fail', () => scene.load.failed().count > before + 3);
      await wait(scene.random.between(0, 5_000));
      diskOf(scene, 'postgres').free();
      await untilWorkGoesOn(scene.house, scene.load);
    },
  },
  "Kafka's disk is full": {
    async play(scene) {
      await untilWorkGoesOn(scene.house, scene.load);
      diskOf(scene, 'kafka').fill();
      let effects = -1;
      await until('nothing goes through any more', async () => {
        await wait(1_000);
        const before = effects;
        effects = await effectsOf(scene.house);
        return effects === before;
      });
      await wait(scene.random.between(0, 5_000));
      diskOf(scene, 'kafka').free();
      await untilWorkGoesOn(scene.house, scene.load);
    },
  },
} satisfies Record<string, Story>;

/** Of three. */
export const clusterStories = {
  'the broker that leads a partition is killed': {
    async play(scene) {
      const { house, random } = scene;
      await untilWorkGoesOn(scene.house, scene.load);
      const leader = await leaderOf(house, Math.floor(random.between(0, 6)));
      await leader.hold('SIGKILL');
      await untilWorkGoesOn(scene.house, scene.load);
      await leader.release();
      await untilAllInSync(house);
      await untilWorkGoesOn(scene.house, scene.load);
    },
  },
  'two of three brokers are killed': {
    async play(scene) {
      const { house, load, random } = scene;
      await untilWorkGoesOn(scene.house, scene.load);
      const [one, other, left] = random.shuffle(house.brokerServers) as [Kept, Kept, Kept];
      await Promise.all([one.hold('SIGKILL'), other.hold('SIGKILL')]);
      await until('nothing is acknowledged any more', () => isStill(house));
      const acknowledged = await acknowledgedOf(house);
      const committed = load.committed();
      await until('facts are committed all the same', () => load.committed() > committed + 200);
      if ((await acknowledgedOf(house)) !== acknowledged)
        throw new Error('a fact counted with one broker of three');
      if (left.pid() === undefined) throw new Error('the last broker does not run');
      await one.release();
      await untilWorkGoesOn(scene.house, scene.load);
      await other.release();
      await untilAllInSync(house);
      await untilWorkGoesOn(scene.house, scene.load);
    },
  },
} satisfies Record<string, Story>;

/** Facts that the relay was told that Kafka has. */
async function acknowledgedOf({ pool }: House): Promise<number> {
  const { rows } = await pool.query<{ facts: number }>(
    'select coalesce(sum(facts), 0)::bigint as facts from relay_lanes',
  );
  return rows[0]!.facts;
}

async function isStill(house: House): Promise<boolean> {
  const before = await acknowledgedOf(house);
  await wait(2_000);
  return (await acknowledgedOf(house)) === before;
}

async function leaderOf({ kafka, topic, brokerServers }: House, partition: number): Promise<Kept> {
  const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
  const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
  return brokerServers[(found?.leader ?? 1) - 1]!;
}

/** Every broker has all that counts. */
const untilAllInSync = ({ kafka, topic, brokers }: House): Promise<void> =>
  until('all brokers are in sync', async () => {
    const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    return topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === brokers.length));
  });
