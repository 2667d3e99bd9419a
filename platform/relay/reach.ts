import { withAdmin, type Kafka, type KafkaLog } from '../kafka/client';
import { KafkaRefused, type FactProducer } from '../kafka/producer';
import { createPoll } from '../poll';
import { wait } from '../wait';

/** Longer than Kafka takes to answer a send in any way: it gives its replicas 8 s. */
const silentMs = 10_000;
const askEveryMs = 1_000;
const askedMs = 5_000;

/** Whether a relay reaches Kafka: one that does not must leave its lanes to those that do. */
export interface Reach {
  /** The producer, whose sends are watched. */
  watch(producer: FactProducer): FactProducer;
  /** Sends wait, none was answered for 10 s, and no leader of their topics' partitions can be asked from here. */
  isLost(): boolean;
  /** Looks every second until the signal is aborted. */
  run(): Promise<void>;
}

export interface ReachOptions {
  readonly kafka: Kafka;
  /** For logs. */
  readonly database: string;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
}

/** A slow Kafka, and one that refuses, is reached: another relay would be no better off. */
export function createReach({ kafka, database, signal, log }: ReachOptions): Reach {
  const topics = new Set<string>();
  let waiting = 0;
  let answeredAtMs = 0;
  let isLost = false;

  const isSilent = (): boolean => waiting > 0 && performance.now() - answeredAtMs > silentMs;
  const asked = async (): Promise<boolean> => {
    try {
      await withAdmin(kafka, (admin) =>
        Promise.all([...topics].map((topic) => admin.fetchTopicOffsets(topic))),
      );
      return true;
    } catch (error) {
      return isAnswer(error);
    }
  };
  async function look(): Promise<void> {
    if (!isLost && !isSilent()) return;
    const before = isLost;
    const isReached = await Promise.race([asked(), wait(askedMs, signal).then(() => false)]);
    if (signal.aborted) return;
    isLost = !isReached;
    if (isLost && !before)
      log.error({ database }, 'Kafka is out of reach: the lanes are left to other relays');
    if (!isLost && before) log.info({ database }, 'Kafka is within reach again');
    if (!isLost) answeredAtMs = performance.now();
  }

  return {
    watch: (producer) => ({
      async send(records, options) {
        for (const { topic } of records) topics.add(topic);
        if (waiting === 0) answeredAtMs = performance.now();
        waiting += 1;
        try {
          await producer.send(records, options);
          answeredAtMs = performance.now();
        } catch (error) {
          if (error instanceof KafkaRefused) answeredAtMs = performance.now();
          throw error;
        } finally {
          waiting -= 1;
        }
      },
      disconnect: () => producer.disconnect(),
    }),
    isLost: () => isLost,
    run: () =>
      createPoll().run(look, { everyMs: askEveryMs, signal, log, trouble: 'Kafka is not looked at' }),
  };
}

/** Whether Kafka itself has said so: its own errors have a name. */
function isAnswer(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('type' in e && typeof e.type === 'string') return true;
  return false;
}
