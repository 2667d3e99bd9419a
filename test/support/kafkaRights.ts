import {
  createKafka,
  setScramUsers,
  setTopicConfigs,
  withAdmin,
  type Kafka,
  type KafkaAddress,
} from '../../platform/kafka';
import { clusterOf } from '../../platform/kafka/protocol';
import { quiet } from './backbone';

/** What a principal tries, and what the broker says to it. */
export interface Rights {
  topic(operation: TopicOperation, topic: string): Promise<boolean>;
  group(operation: GroupOperation, group: string): Promise<boolean>;
  cluster(operation: ClusterOperation): Promise<boolean>;
  close(): Promise<void>;
}

export const topicOperations = ['describe', 'read', 'write', 'alter'] as const;
export const groupOperations = ['describe', 'read', 'delete'] as const;
export const clusterOperations = ['create topics', 'see rights', 'make logins'] as const;
type TopicOperation = (typeof topicOperations)[number];
type GroupOperation = (typeof groupOperations)[number];
type ClusterOperation = (typeof clusterOperations)[number];

/** The parts of kafkajs's broker that ask for one thing only. */
interface Broker {
  fetch(request: object): Promise<unknown>;
  produce(request: object): Promise<unknown>;
  listOffsets(request: object): Promise<unknown>;
  heartbeat(request: object): Promise<unknown>;
  offsetFetch(request: object): Promise<unknown>;
  deleteGroups(groups: string[]): Promise<{ results: { errorCode: number }[] }>;
  describeAcls(filter: object): Promise<unknown>;
}

const groupAuthorizationFailed = 30;

/** Answers of a broker that has let somebody in, and found nothing there. */
const allowed = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']);

/** Whether the broker let it be done. @throws what is neither a yes nor a denial */
async function isAllowed(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    const [first = error] = (error as { errors?: unknown[] }).errors ?? [];
    const { type, message } = first as { type?: string; message: string };
    if (
      type?.endsWith('AUTHORIZATION_FAILED') ||
      /authorization failed|needs ALTER permission/i.test(message)
    )
      return false;
    if (type !== undefined && allowed.has(type)) return true;
    throw error;
  }
}

/** One connection of a principal to the one broker there is: each question is one request. */
export async function rightsOf(address: KafkaAddress): Promise<Rights> {
  const kafka: Kafka = createKafka({ ...address, clientId: 'rights', log: quiet });
  const cluster = clusterOf(kafka);
  await cluster.connect();
  await cluster.refreshMetadata();
  const broker = (await cluster.findControllerBroker()) as unknown as Broker;
  const inFirst = (topic: string, more: object = {}) => [{ topic, partitions: [{ partition: 0, ...more }] }];
  const onTopic: Record<TopicOperation, (topic: string) => Promise<unknown>> = {
    describe: (topic) => broker.listOffsets({ topics: inFirst(topic, { timestamp: -1 }) }),
    read: (topic) =>
      broker.fetch({
        ...{ replicaId: -1, isolationLevel: 1, maxWaitTime: 1, minBytes: 0, maxBytes: 1_000 },
        topics: inFirst(topic, { fetchOffset: '0', maxBytes: 1_000 }),
      }),
    write: (topic) =>
      broker.produce({
        ...{ acks: -1, timeout: 5_000 },
        topicData: inFirst(topic, { messages: [{ key: 'k', value: 'v', timestamp: String(Date.now()) }] }),
      }),
    alter: (topic) => setTopicConfigs(kafka, [{ topic, config: { 'segment.jitter.ms': '0' } }]),
  };
  const onGroup: Record<GroupOperation, (groupId: string) => Promise<unknown>> = {
    describe: (groupId) => broker.offsetFetch({ groupId, topics: [] }),
    read: (groupId) => broker.heartbeat({ groupId, groupGenerationId: 1, memberId: 'nobody' }),
    async delete(groupId) {
      const { results } = await broker.deleteGroups([groupId]);
      // It is told, not thrown.
      if (results[0]?.errorCode === groupAuthorizationFailed) throw new Error('group authorization failed');
    },
  };
  const onCluster: Record<ClusterOperation, () => Promise<unknown>> = {
    'create topics': () =>
      withAdmin(kafka, (admin) =>
        admin.createTopics({
          validateOnly: true,
          waitForLeaders: false,
          topics: [{ topic: 'anything', numPartitions: 1 }],
        }),
      ),
    'see rights': () =>
      broker.describeAcls({
        ...{ resourceType: 1, resourcePatternType: 1, operation: 1, permissionType: 1 },
        ...{ resourceName: null, principal: null, host: null },
      }),
    'make logins': () => setScramUsers(kafka, [{ username: 'nobody', password: 'nothing' }]),
  };
  return {
    topic: (operation, topic) => isAllowed(onTopic[operation](topic)),
    group: (operation, group) => isAllowed(onGroup[operation](group)),
    cluster: (operation) => isAllowed(onCluster[operation]()),
    close: () => cluster.disconnect(),
  };
}
