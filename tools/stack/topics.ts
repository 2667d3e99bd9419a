import { declaredTopics, grantsUnder, principals } from '../../contracts/access';
import type { DeclaredTopic } from '../../contracts/topics';
import {
  createKafka,
  lookAtAccess,
  lookAtTopics,
  reconcileAccess,
  reconcileTopics,
  setScramUsers,
  type AccessPlan,
  type KafkaAddress,
  type TopicPlan,
  type TopicSpec,
} from '../../platform/kafka';

export interface KafkaPreparation {
  /** With a login that may do everything, where the cluster asks for one. */
  readonly address: KafkaAddress;
  /** In front of the name of each topic and group. */
  readonly prefix: string;
  /** How many brokers keep each record. */
  readonly replicas: number;
  /** Whether the cluster keeps rights, and these are to be ours. */
  readonly access: boolean;
  /** Makes a login for each process with this password; none unless told. */
  readonly passwordOf?: (principal: string) => string;
}

/** The declared topics as Kafka is told of them. */
export const topicSpecs = (prefix: string, replicas: number): TopicSpec[] =>
  declaredTopics.map((topic) => ({
    topic: prefix + topic.name,
    partitions: topic.partitions,
    replicas,
    config: settingsOf(topic, replicas),
    mayGrow: topic.kind !== 'facts',
  }));

function settingsOf(topic: DeclaredTopic, replicas: number): Record<string, string> {
  const { retentionMs, cleanup, maxMessageBytes } = topic;
  return {
    'cleanup.policy': cleanup,
    'retention.ms': String(retentionMs),
    'max.message.bytes': String(maxMessageBytes),
    // Whatever somebody sends: a batch in a codec that a consumer cannot read would hold its partition for ever.
    'compression.type': 'uncompressed',
    'min.insync.replicas': String(Math.max(1, replicas - 1)),
    'unclean.leader.election.enable': 'false',
    // Only whole segments are deleted: a short retention would otherwise be as long as a segment takes to fill.
    ...(retentionMs > 0 && { 'segment.ms': String(Math.max(60_000, Math.round(retentionMs / 4))) }),
  };
}

/**
 * Has Kafka hold the declared topics, and allow the declared rights only. Safe to repeat.
 * @returns what was done, and what an operator should know, a sentence each
 * @throws TopicsRefused
 */
export async function prepareKafka(
  preparation: KafkaPreparation,
): Promise<{ readonly done: readonly string[]; readonly notes: readonly string[] }> {
  const { address, prefix, replicas, access, passwordOf } = preparation;
  const kafka = createKafka({ ...address, clientId: 'hailway-stack' });
  const topics = await reconcileTopics(kafka, topicSpecs(prefix, replicas), prefix);
  if (passwordOf)
    await setScramUsers(
      kafka,
      principals.map((username) => ({ username, password: passwordOf(username) })),
    );
  const rights = access ? await reconcileAccess(kafka, grantsUnder(prefix), prefix) : noRights;
  return {
    done: [...topicChanges(topics), ...accessChanges(rights)],
    notes: [...topics.notes, ...rights.notes],
  };
}

const noRights: AccessPlan = { add: [], remove: [], notes: [] };

export interface KafkaDrift {
  /** What `prepareKafka` would do. */
  readonly toDo: readonly string[];
  /** What it would refuse to go on with. */
  readonly refusals: readonly string[];
  /** What may stay. */
  readonly notes: readonly string[];
}

/** How far a cluster is from what is declared; changes nothing. */
export async function kafkaDrift(preparation: KafkaPreparation): Promise<KafkaDrift> {
  const { address, prefix, replicas, access } = preparation;
  const kafka = createKafka({ ...address, clientId: 'hailway-stack' });
  const topics = await lookAtTopics(kafka, topicSpecs(prefix, replicas), prefix);
  const rights = access ? await lookAtAccess(kafka, grantsUnder(prefix), prefix) : noRights;
  return {
    toDo: [...topicChanges(topics), ...accessChanges(rights)],
    refusals: topics.refusals,
    notes: [...topics.notes, ...rights.notes],
  };
}

const topicChanges = ({ create, alter, grow }: TopicPlan): string[] => [
  ...create.map(({ topic, partitions }) => `${topic}: created with ${partitions} partitions`),
  ...alter.flatMap(({ topic, config, from }) =>
    Object.entries(config).map(
      ([name, value]) => `${topic}: ${name} from ${from[name] ?? 'nothing'} to ${value}`,
    ),
  ),
  ...grow.map(({ topic, from, to }) => `${topic}: from ${from} to ${to} partitions`),
];

const accessChanges = ({ add, remove }: AccessPlan): string[] => [
  ...add.map(
    ({ principal, operation, resource, name, pattern }) =>
      `${principal}: may ${operation} ${resource} ${name}${pattern === 'prefixed' ? '…' : ''}`,
  ),
  ...remove.map((words) => `${words}: taken away`),
];
