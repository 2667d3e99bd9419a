import { Kafka, logLevel, Partitioners, type Message } from 'kafkajs';
import { createPool, withTransaction } from '../../../platform/postgres';
import { runContestant, type Contest } from './contest';
import { makeFacts, PARTITIONS, type BenchFact } from './facts';
import { sendFromMemory } from './fromMemory';

const plainKafka = (broker: string): Kafka =>
  new Kafka({ brokers: [broker], clientId: 'bench', logLevel: logLevel.NOTHING });

/** Rows claimed with SKIP LOCKED, a hundred a transaction; each sent, then marked. */
async function naive({ kafkaBroker, databaseUrl, ready, done }: Contest): Promise<void> {
  const pool = createPool(databaseUrl, { applicationName: 'bench', max: 1 });
  const producer = plainKafka(kafkaBroker).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await ready();
  for (let claimed = 1; claimed > 0;) {
    claimed = await withTransaction(pool, async (tx) => {
      const { rows } = await tx.query<{ id: number } & BenchFact>(
        'select * from naive_outbox where not sent order by id limit 100 for update skip locked',
      );
      for (const { id, topic, key, value, headers } of rows) {
        await producer.send({ topic, acks: -1, messages: [{ key, value, headers }] });
        await tx.query('update naive_outbox set sent = true where id = $1', [id]);
      }
      return rows.length;
    });
  }
  done();
}

/** One plain producer. */
async function ceiling(contest: Contest): Promise<void> {
  const partitionOf = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
    ...{ partitionId, leader: 1, partitionErrorCode: 0, replicas: [], isr: [] },
  }));
  const messages = makeFacts(contest.topic, contest.count).map(({ topic, key, value, headers }): Message => {
    const message = { key, value, headers };
    return { ...message, partition: partitionOf({ topic, partitionMetadata, message }) };
  });
  await sendFromMemory(plainKafka(contest.kafkaBroker), messages, contest);
}

/** The two to be measured by. kafkajs is here as it is published: nothing of the house's port to Kafka is loaded. */
runContestant({ naive, ceiling });
