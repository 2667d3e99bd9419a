import type { Kafka, Message } from 'kafkajs';
import type { Contest } from './contest';

const AT_ONCE = 2_000;

/** Sends messages with their partitions given, batch after batch, by one producer. */
export async function sendFromMemory(
  kafka: Kafka,
  messages: readonly Message[],
  { topic, ready, done }: Contest,
): Promise<void> {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: () => (args) => (args.message as Message & { partition: number }).partition,
  });
  await producer.connect();
  await ready();
  for (let i = 0; i < messages.length; i += AT_ONCE)
    await producer.send({ topic, acks: -1, messages: messages.slice(i, i + AT_ONCE) });
  done();
}
