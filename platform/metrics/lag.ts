import { Gauge, type Registry } from 'prom-client';
import { groupLag, type Kafka, type PartitionLag } from '../kafka/client';
import type { Metrics } from '../metrics';
import { namedPartition, partitionName, type Partition } from '../kafka/partition';
import { lookWhenScraped, type Freshness, type Looked } from './scrape';

export interface LagOptions {
  readonly metrics: Metrics;
  readonly kafka: Kafka;
  readonly group: string;
  /** What the group is called in the metrics, where its own name is another one at each start. */
  readonly shownAs?: string;
  readonly topics: readonly string[];
  readonly freshness?: Freshness;
}

export interface LagClock {
  /** After each joining of the group, with the partitions that are ours now: the others are not in our hands any more. */
  assigned(ours: Readonly<Record<string, readonly number[]>>): void;
  /** The oldest record in hand that is not done with was sent then; milliseconds since 1970. */
  inHand(partition: Partition, sentMs: number): void;
  /** Nothing is in hand any more: it is done with, or left. */
  done(partition: Partition): void;
}

/**
 * Shows how far a consumer group is behind in each partition, in facts and in seconds, as Kafka has it when it is looked
 * at. The seconds are the age of the oldest record that is not done with: exact while that is in hand; else, where the
 * consumer does not get to it, since the first look that saw records behind the group's offset.
 */
export function showLag(options: LagOptions): LagClock {
  const { metrics, kafka, group, shownAs = group, topics, freshness } = options;
  const { registry } = metrics;
  const sentMs = new Map<string, number>();
  const behindSinceMs = new Map<string, { offset: number; ms: number }>();
  const look = lookWhenScraped(registry, {
    at: `lag of ${shownAs}`,
    read: async () => {
      const lags = await groupLag(kafka, group, [...topics]);
      for (const lag of lags) noteLook(lag);
      return lags;
    },
    ...freshness,
  });
  const noteLook = ({ topic, partition, next, lag }: PartitionLag): void => {
    const name = partitionName(topic, partition);
    if (lag === 0) behindSinceMs.delete(name);
    else if (behindSinceMs.get(name)?.offset !== next)
      behindSinceMs.set(name, { offset: next, ms: Date.now() });
  };
  const seconds = ({ topic, partition, lag }: PartitionLag): number => {
    const name = partitionName(topic, partition);
    const since = sentMs.get(name) ?? behindSinceMs.get(name)?.ms;
    return lag === 0 || since === undefined ? 0 : Math.max(0, Date.now() - since) / 1_000;
  };
  groupsIn(registry).push({ shownAs, look, seconds });
  return {
    assigned(ours) {
      for (const name of sentMs.keys()) {
        const { topic, partition } = namedPartition(name);
        if (!ours[topic]?.includes(partition)) sentMs.delete(name);
      }
    },
    inHand: ({ topic, partition }, ms) => void sentMs.set(partitionName(topic, partition), ms),
    done: ({ topic, partition }) => void sentMs.delete(partitionName(topic, partition)),
  };
}

interface ShownGroup {
  readonly shownAs: string;
  readonly look: Looked<readonly PartitionLag[]>;
  readonly seconds: (lag: PartitionLag) => number;
}

const groups = new WeakMap<Registry, ShownGroup[]>();

/** The groups that a process shows: they share two metrics, made with the first. */
function groupsIn(registry: Registry): ShownGroup[] {
  const known = groups.get(registry);
  if (known) return known;
  const shown: ShownGroup[] = [];
  groups.set(registry, shown);
  const gauge = (name: string, help: string, of: (lag: PartitionLag, group: ShownGroup) => number) =>
    new Gauge({
      ...{ name, help, labelNames: ['group', 'topic', 'partition'], registers: [registry] },
      async collect() {
        this.reset();
        const looked = shown.map(async (group) => {
          for (const lag of (await group.look()) ?? []) {
            const { topic, partition } = lag;
            this.set({ group: group.shownAs, topic, partition: String(partition) }, of(lag, group));
          }
        });
        await Promise.all(looked);
      },
    });
  gauge(
    'kafka_consumer_group_lag',
    'Records behind the offset that the group has committed',
    ({ lag }) => lag,
  );
  gauge(
    'hailway_consumer_lag_seconds',
    'Age of the oldest record that the group is not done with; 0 where it is behind with nothing',
    (lag, { seconds }) => seconds(lag),
  );
  return shown;
}
