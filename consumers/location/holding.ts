import {
  endOffsets,
  inCopies,
  offsetsSince,
  readTopicRaw,
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
  /** What is younger is what nearly everybody asks for: a partition is read from there on, and answered for. */
  readonly freshMs: number;
  /** What is older is of no use; what lies between is read while the partition is answered for. */
  readonly keepMs: number;
  /** Of one partition records may come in any order. */
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
  /** Whether all fresh positions that a partition had when it came to this process have been taken, so that it can answer for it. */
  answersFor(partition: number): boolean;
  /** Whether it has been given its share, which may be nothing, and answers for all of it. */
  isReady(): boolean;
  /** Settles once the signal is aborted and the batch in hand is done. */
  readonly done: Promise<void>;
}

/** Where those positions begin that are fresh, and those that are of use, by partition. */
interface Begins {
  readonly fresh: Offsets;
  readonly kept: Offsets;
}

/**
 * Takes its share of the topic's partitions in the group. What comes to it is read from the log, what is fresh first and then
 * what is older, as far back as it is of use, and what goes is dropped. What stays is read on from where it was. Reading
 * something twice, or an older position after a newer one, changes nothing.
 */
export function startHolding(options: HoldingOptions): Holding {
  const { kafka, group, topic, signal, log } = options;
  let begins: Begins = { fresh: {}, kept: {} };
  let hasShare = false;
  /** By partition that is held: the offset of its next record. */
  const next = new Map<number, number>();
  /** By partition that is not caught up with: the offset that must be reached, undefined until that is known. */
  const missing = new Map<number, number | undefined>();
  /** By partition that came: the offsets between which older positions have not been read yet. */
  const older = new Map<number, { readonly from: number; readonly to: number }>();
  let readingOlder: Promise<void> | undefined;

  const settle = (partition: number): void => {
    const end = missing.get(partition);
    if (end !== undefined && next.get(partition)! >= end) missing.delete(partition);
    if (missing.size === 0 && older.size > 0)
      readingOlder ??= readOlder().finally(() => (readingOlder = undefined));
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
        older.delete(partition);
        options.drop(partition, (other) => next.has(other));
      }
    const come = partitions.filter((partition) => !next.has(partition));
    for (const partition of come) {
      const [from, to] = [begins.kept[partition] ?? 0, begins.fresh[partition] ?? 0];
      next.set(partition, to);
      missing.set(partition, undefined);
      if (from < to) older.set(partition, { from, to });
    }
    log.info({ topic, holds: [...next.keys()], come }, 'partitions shared out');
    if (come.length > 0) void learnEnds();
  }

  /** Reads what is not fresh and yet of use, of the partitions that have come; while it does, others may come. */
  async function readOlder(): Promise<void> {
    while (older.size > 0 && !signal.aborted) {
      const partitions = [...older.keys()];
      const from = Object.fromEntries([...older].map(([partition, range]) => [partition, range.from]));
      const to = Object.fromEntries([...older].map(([partition, range]) => [partition, range.to]));
      older.clear();
      const beganMs = Date.now();
      await askUntilAnswered(
        () =>
          readTopicRaw({
            ...{ kafka, topic, from, to, signal, timeoutMs: options.keepMs },
            onRecord: (record) => void (next.has(record.partition) && options.take([record])),
          }),
        options,
      );
      log.info({ topic, partitions, tookMs: Date.now() - beganMs }, 'older positions read');
    }
  }

  async function hold(): Promise<void> {
    let isLearning = false;
    /** One at a time: each goes on until Kafka answers. */
    const learnBegins = async (): Promise<void> => {
      if (isLearning) return;
      isLearning = true;
      const since = (ms: number) => offsetsSince(kafka, topic, Date.now() - ms);
      begins =
        (await askUntilAnswered(
          async () => ({ kept: await since(options.keepMs), fresh: await since(options.freshMs) }),
          options,
        )) ?? begins;
      isLearning = false;
    };
    await learnBegins();
    if (signal.aborted) return;
    const learning = setInterval(() => void learnBegins(), options.freshMs / 4);
    await runConsumer({
      ...{ kafka, group, topics: [topic], signal, log },
      assigner: inCopies({ copies: options.copies, says: options.ownUrl }),
      startAt: (partition) => next.get(partition) ?? begins.fresh[partition] ?? 0,
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
    await readingOlder;
  }

  return {
    done: hold(),
    get partitions() {
      return Object.keys(begins.fresh).length;
    },
    answersFor: (partition) => next.has(partition) && !missing.has(partition),
    isReady: () => hasShare && missing.size === 0,
  };
}
