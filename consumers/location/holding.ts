import {
  endOffsets,
  inCopies,
  offsetsSince,
  runConsumer,
  type Kafka,
  type KafkaLog,
  type Offsets,
  type RawRecord,
} from '../../platform/kafka';
import { askUntilAnswered } from './askUntilAnswered';

export interface HoldingOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topic: string;
  /** How many processes hold each partition. */
  readonly copies: number;
  /** Where the others reach this process. */
  readonly ownUrl: string;
  /** What is older is of no use: a partition is read from there on. */
  readonly keepMs: number;
  readonly take: (records: readonly RawRecord[]) => void;
  /** A partition is another's now; `isHeld` says which of the others stay here. */
  readonly drop: (partition: number, isHeld: (partition: number) => boolean) => void;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
}

/** The partitions that this process holds in memory. */
export interface Holding {
  /** How many the topic has; 0 until it is known. */
  readonly partitions: number;
  /** Whether all that was in a partition's log when it came to this process has been taken, so that it can answer for it. */
  answersFor(partition: number): boolean;
  /** Whether it has been given its share, which may be nothing, and answers for all of it. */
  isReady(): boolean;
  /** Settles once the signal is aborted and the batch in hand is done. */
  readonly done: Promise<void>;
}

/**
 * Takes its share of the topic's partitions in the group. What comes to it is read from the log, as far back as it is of
 * use, and what goes is dropped. What stays is read on from where it was: reading something twice changes nothing.
 */
export function startHolding(options: HoldingOptions): Holding {
  const { kafka, group, topic, signal, log } = options;
  let begins: Offsets = {};
  let hasShare = false;
  /** By partition that is held: the offset of its next record. */
  const next = new Map<number, number>();
  /** By partition that is not caught up with: the offset that must be reached, undefined until that is known. */
  const missing = new Map<number, number | undefined>();

  const settle = (partition: number): void => {
    const end = missing.get(partition);
    if (end !== undefined && next.get(partition)! >= end) missing.delete(partition);
  };

  async function learnEnds(): Promise<void> {
    const ends = await askUntilAnswered(() => endOffsets(kafka, topic), options);
    for (const [partition, end] of missing)
      if (ends && end === undefined) missing.set(partition, ends[partition] ?? 0);
    for (const partition of [...missing.keys()]) settle(partition);
  }

  function assigned(partitions: readonly number[]): void {
    hasShare = true;
    for (const partition of [...next.keys()])
      if (!partitions.includes(partition)) {
        next.delete(partition);
        missing.delete(partition);
        options.drop(partition, (other) => next.has(other));
      }
    const come = partitions.filter((partition) => !next.has(partition));
    for (const partition of come) {
      next.set(partition, begins[partition] ?? 0);
      missing.set(partition, undefined);
    }
    log.info({ topic, holds: [...next.keys()], come }, 'partitions shared out');
    if (come.length > 0) void learnEnds();
  }

  async function hold(): Promise<void> {
    let isLearning = false;
    /** One at a time: each goes on until Kafka answers. */
    const learnBegins = async (): Promise<void> => {
      if (isLearning) return;
      isLearning = true;
      begins =
        (await askUntilAnswered(() => offsetsSince(kafka, topic, Date.now() - options.keepMs), options)) ??
        begins;
      isLearning = false;
    };
    await learnBegins();
    if (signal.aborted) return;
    const learning = setInterval(() => void learnBegins(), options.keepMs / 10);
    await runConsumer({
      ...{ kafka, group, topics: [topic], signal, log },
      assigner: inCopies({ copies: options.copies, says: options.ownUrl }),
      startAt: (partition) => next.get(partition) ?? begins[partition] ?? 0,
      onAssigned: (shares) => assigned(shares[topic] ?? []),
      async onBatch(batch) {
        if (!next.has(batch.partition)) return;
        options.take(batch.records);
        const reached = (batch.records.at(-1)?.offset ?? -1) + 1;
        next.set(batch.partition, reached);
        settle(batch.partition);
        await batch.commit(reached);
      },
    }).finally(() => clearInterval(learning));
  }

  return {
    done: hold(),
    get partitions() {
      return Object.keys(begins).length;
    },
    answersFor: (partition) => next.has(partition) && !missing.has(partition),
    isReady: () => hasShare && missing.size === 0,
  };
}
