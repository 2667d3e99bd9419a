import { runConsumer, withAdmin, type Kafka, type KafkaLog, type RawRecord } from '../../platform/kafka';
import { wait } from '../../platform/wait';

export interface ReaderOptions {
  readonly kafka: Kafka;
  /**
   * A group of this process alone. What is known lies in memory and is read anew at every start, so there are no
   * offsets to share. A new group starts at the beginning, and need not wait until the session of a killed member
   * is over.
   */
  readonly group: string;
  readonly topic: string;
  readonly take: (records: readonly RawRecord[]) => void;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
}

export interface Reader {
  /** Whether everything that was in the log when reading began has been taken. */
  caughtUp(): boolean;
  /** Settles once the signal is aborted and the batch in hand is done. */
  readonly done: Promise<void>;
}

/** Reads the topic from its beginning and then goes on with what comes. */
export function startReader({ kafka, group, topic, take, signal, log }: ReaderOptions): Reader {
  /** Partition to the offset that must be reached; undefined until the log's ends are known. */
  let missing: Map<number, number> | undefined;
  const reached = new Map<number, number>();
  const settle = (partition: number): void => {
    const end = missing?.get(partition);
    if (end !== undefined && (reached.get(partition) ?? 0) >= end) missing?.delete(partition);
  };

  const learnEnds = async (): Promise<void> => {
    while (missing === undefined && !signal.aborted) {
      try {
        const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
        const filled = offsets.filter(({ low, high }) => low !== high);
        missing = new Map(filled.map(({ partition, high }) => [partition, Number(high)]));
      } catch (error) {
        log.warn({ err: error, topic }, 'the ends of the log are not known yet');
        await wait(500, signal);
      }
    }
    for (const partition of [...(missing?.keys() ?? [])]) settle(partition);
  };

  const read = runConsumer({
    kafka,
    group,
    topics: [topic],
    signal,
    log,
    async onBatch(batch) {
      take(batch.records);
      const next = (batch.records.at(-1)?.offset ?? -1) + 1;
      reached.set(batch.partition, next);
      settle(batch.partition);
      await batch.commit(next);
    },
  });
  const forgetGroup = () => withAdmin(kafka, (admin) => admin.deleteGroups([group])).catch(() => {});
  // Kafka may be gone already; it forgets an empty group by itself after a week.
  const done = Promise.all([learnEnds(), read]).then(
    async () => void (await Promise.race([forgetGroup(), wait(2_000)])),
  );

  return { caughtUp: () => missing?.size === 0, done };
}
