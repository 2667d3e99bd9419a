import { ConfigResourceTypes, type Admin, type Kafka } from './kafkajs';
import { wait } from '../wait';
import { withAdmin } from './client';
import { setTopicConfigs, type ConfigChange } from './protocol';

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** Broker's names: `{ 'retention.ms': '-1' }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Copies of each partition (1). */
  readonly replicas?: number;
  /** Whether partitions may be added: not where a key's order counts, since its later records would go elsewhere. */
  readonly mayGrow?: boolean;
}

/** A topic as it is. */
export interface ExistingTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Copies of the partition that has the fewest. */
  readonly replicas: number;
  readonly config: Readonly<Record<string, string>>;
}

/** What lies between the topics that are declared and those that are there. */
export interface TopicPlan {
  readonly create: readonly TopicSpec[];
  readonly alter: readonly (ConfigChange & { readonly from: Readonly<Record<string, string | undefined>> })[];
  readonly grow: readonly { readonly topic: string; readonly from: number; readonly to: number }[];
  /** What may stay as it is, in a sentence each. */
  readonly notes: readonly string[];
  /** What must not stay and is nobody's to mend but an operator's, in a sentence each, with the way out. */
  readonly refusals: readonly string[];
}

/** Compares; does nothing. */
export function planTopics(declared: readonly TopicSpec[], there: readonly ExistingTopic[]): TopicPlan {
  const existing = new Map(there.map((topic) => [topic.topic, topic]));
  const create: TopicSpec[] = [];
  const alter: TopicPlan['alter'][number][] = [];
  const grow: TopicPlan['grow'][number][] = [];
  const notes: string[] = [];
  const refusals: string[] = [];
  for (const spec of declared) {
    const found = existing.get(spec.topic);
    if (!found) {
      create.push(spec);
      continue;
    }
    const { topic, partitions } = spec;
    const replicas = spec.replicas ?? 1;
    const counts = `${topic} has ${found.partitions} partitions, and ${partitions} are declared`;
    if (found.partitions > partitions) notes.push(`${counts}: Kafka takes none away`);
    else if (found.partitions < partitions && spec.mayGrow)
      grow.push({ topic, from: found.partitions, to: partitions });
    else if (found.partitions < partitions)
      refusals.push(
        `${counts}. They are not added, because the later facts of a key would be in another one than its earlier ` +
          `facts. Declare ${found.partitions} (contracts/topics.ts), or stop whoever writes to it, wait until all ` +
          `of it is consumed, and add them: kafka-topics.sh --alter --topic ${topic} --partitions ${partitions}`,
      );
    if (found.replicas < replicas)
      notes.push(
        `${topic} has ${found.replicas} copies of a partition, and ${replicas} are declared: ` +
          'kafka-reassign-partitions.sh makes them',
      );
    const wanted = Object.entries(bearable(spec.config ?? {}, found.replicas));
    const differing = wanted.filter(([name, value]) => found.config[name] !== value);
    if (differing.length > 0)
      alter.push({
        topic,
        config: Object.fromEntries(differing),
        from: Object.fromEntries(differing.map(([name]) => [name, found.config[name]])),
      });
  }
  const names = new Set(declared.map(({ topic }) => topic));
  for (const { topic } of there) if (!names.has(topic)) notes.push(`${topic}: nobody declares it`);
  return { create, alter, grow, notes, refusals };
}

const minInSync = 'min.insync.replicas';

/** More copies in sync than there are would refuse every record. */
function bearable(config: Readonly<Record<string, string>>, replicas: number): Record<string, string> {
  const { [minInSync]: least, ...others } = config;
  return least === undefined ? others : { ...others, [minInSync]: String(Math.min(Number(least), replicas)) };
}

/** What the cluster has: the declared topics, and all others under the prefix. Kafka's own (`__…`) are left out. */
export function existingTopics(
  kafka: Kafka,
  prefix: string,
  configNames: readonly string[],
): Promise<ExistingTopic[]> {
  return withAdmin(kafka, async (admin) => {
    const names = (await admin.listTopics()).filter(
      (name) => name.startsWith(prefix) && !name.startsWith('__'),
    );
    if (names.length === 0) return [];
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({
        type: ConfigResourceTypes.TOPIC,
        name,
        configNames: [...configNames],
      })),
    });
    const configs = new Map(
      resources.map(({ resourceName, configEntries }) => [resourceName, configEntries]),
    );
    return topics.map(({ name, partitions }) => ({
      topic: name,
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      config: Object.fromEntries(
        (configs.get(name) ?? []).map(({ configName, configValue }) => [configName, configValue]),
      ),
    }));
  });
}

/** The topics differ from the declaration in a way that nobody mends by himself; the message says the way out. */
export class TopicsRefused extends Error {
  override readonly name = 'TopicsRefused';
}

/**
 * Makes the topics what they are declared to be: missing ones are created, settings altered (others of the topic stay),
 * partitions added where they may be. Safe to repeat, and to run at once with another.
 * @returns what it did, and what it left
 * @throws TopicsRefused before anything is changed
 */
export async function reconcileTopics(
  kafka: Kafka,
  declared: readonly TopicSpec[],
  prefix: string,
): Promise<TopicPlan> {
  const plan = await lookAtTopics(kafka, declared, prefix);
  if (plan.refusals.length > 0) throw new TopicsRefused(plan.refusals.join('\n'));
  await createTopics(kafka, plan.create);
  if (plan.alter.length > 0) await setTopicConfigs(kafka, plan.alter);
  if (plan.grow.length > 0)
    await withAdmin(kafka, (admin) =>
      admin.createPartitions({ topicPartitions: plan.grow.map(({ topic, to }) => ({ topic, count: to })) }),
    );
  return plan;
}

/** What `reconcileTopics` would do. */
export async function lookAtTopics(
  kafka: Kafka,
  declared: readonly TopicSpec[],
  prefix: string,
): Promise<TopicPlan> {
  const configNames = [...new Set(declared.flatMap(({ config = {} }) => Object.keys(config)))];
  return planTopics(declared, await existingTopics(kafka, prefix, configNames));
}

/** Creates the topics that are not there yet and waits for their leaders. Those that are there stay as they are. */
export async function createTopics(kafka: Kafka, topics: readonly TopicSpec[]): Promise<void> {
  if (topics.length === 0) return;
  await withAdmin(kafka, async (admin) => {
    const there = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !there.has(topic));
    if (missing.length === 0) return;
    // false when another process has created one of them meanwhile
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map(({ topic, partitions, config = {}, replicas = 1 }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: replicas,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      })),
    });
    await waitForLeaders(
      admin,
      missing.map(({ topic }) => topic),
    );
  });
}

/** kafkajs's own waiting fails when a busy broker has not yet heard of a topic that the controller has made. */
async function waitForLeaders(admin: Admin, topics: string[], timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      const metadata = await admin.fetchTopicMetadata({ topics });
      const led = metadata.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
      if (led && metadata.topics.length === topics.length) return;
    } catch (error) {
      if (Date.now() >= deadline) throw error;
    }
    if (Date.now() >= deadline) throw new Error(`no leaders for ${topics.join(', ')} within ${timeoutMs} ms`);
    await wait(100);
  }
}
