/** The one port to Kafka: nothing else imports kafkajs. */
export {
  createKafka,
  createTopics,
  groupLag,
  partitionFor,
  waitForCoordinator,
  withAdmin,
  type Kafka,
  type KafkaLog,
  type PartitionLag,
  type TopicSpec,
} from './kafka/client';
export { createFactProducer, KafkaRefused, type FactProducer, type OutgoingRecord } from './kafka/producer';
export { runConsumer, type ConsumedBatch, type ConsumerOptions, type RawRecord } from './kafka/consumer';
export { endOffsets, offsetsSince, readTopicRaw, type Offsets } from './kafka/read';
export { runTelemetry, type TelemetryOptions } from './kafka/telemetry';
