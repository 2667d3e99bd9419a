/** The one port to Kafka: nothing else imports kafkajs. */
export { lookAtAccess, reconcileAccess, type AccessPlan, type AclGrant } from './kafka/acls';
export { kafkaAddress, kafkaVariables, type KafkaAddress } from './kafka/address';
export {
  createKafka,
  groupLag,
  partitionFor,
  waitForCoordinator,
  withAdmin,
  type Kafka,
  type KafkaLog,
  type PartitionLag,
} from './kafka/client';
export { runConsumer, type ConsumedBatch, type ConsumerOptions, type RawRecord } from './kafka/consumer';
export { copyHolders, inCopies, type CopyHolder } from './kafka/copies';
export { openKafka } from './kafka/open';
export { namedPartition, partitionName, type Partition } from './kafka/partition';
export { createFactProducer, KafkaRefused, type FactProducer, type OutgoingRecord } from './kafka/producer';
export { setScramUsers, setTopicConfigs, type ScramUser } from './kafka/protocol';
export {
  beginOffsets,
  endOffsets,
  keptOffsets,
  offsetsSince,
  readTopicRaw,
  type OffsetRange,
  type Offsets,
} from './kafka/read';
export { runTelemetry, type TelemetryOptions } from './kafka/telemetry';
export {
  createTopics,
  existingTopics,
  lookAtTopics,
  planTopics,
  reconcileTopics,
  TopicsRefused,
  type ExistingTopic,
  type TopicPlan,
  type TopicSpec,
} from './kafka/topics';
