import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  endOffsets,
  inCopies,
  offsetsSince,
  readTopicRaw,
  runConsumer,
  type Kafka,
  type KafkaLog,
  type OffsetRange,
  type Offsets,
  type RawRecord,
} from '../../platform/kafka';
import { askUntilAnswered } from './askUntilAnswered';

/** Older records that are taken before others have their turn: some milliseconds. */
const OLDER_AT_ONCE = 16;

export interface HoldingOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topic: string;
  /** How many processes hold each partition. */
  readonly copies: number;
  /** Where the others reach this process. */
  readonly ownUrl: string;
  /** What is younger is what nearly everybody asks for: a partition is read from there on first. */
  readonly freshMs: number;
  /** What is older is of no use; what lies between is read afterwards. */
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
  /**
   * Whether all positions up to that age that a partition had when it came to this process have been taken, so that it can
   * answer for it: those that are fresh are read first.
   */
  answersFor(partition: number, maxAgeMs: number): boolean;
  /** Whether it has been given its share, which may be nothing, and answers for what is fresh in all of it. */
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
  const { kafka, group, topic, freshMs, keepMs, signal, log } = options;
  let begins: Begins = { fresh: {}, kept: {} };
  let hasShare = false;
  /** By partition that is held: the offset of its next record. */
  const next = new Map<number, number>();
  /** By partition whose fresh positions are being read: the offset that must be reached, undefined until that is known. */
  const missing = new Map<number, number | undefined>();
  /** By partition whose older positions have not been read: the offsets between which they are, and how to leave off. */
  const older = new Map<number, OffsetRange & { readonly left: AbortController }>();
  let readingOlder: Promise<void> | undefined;

  function settle(partition: number): void {
    const end = missing.get(partition);
    if (end !== undefined && next.get(partition)! >= end) missing.delete(partition);
    goOnWithOlder();
  }

  function goOnWithOlder(): void {
    if (missing.size > 0 || older.size === 0 || signal.aborted) return;
    readingOlder ??= readOlder().finally(() => {
      readingOlder = undefined;
      goOnWithOlder();
    });
  }

  /** Reads what is not fresh and yet of use, partition by partition, unless there is something fresh to be read first. */
  async function readOlder(): Promise<void> {
    for (let [first] = older; first && missing.size === 0 && !signal.aborted; [first] = older) {
      const [partition, range] = first;
      const reading = AbortSignal.any([signal, range.left.signal]);
      const beganMs = Date.now();
      let taken = 0;
      const count = await askUntilAnswered(
        () =>
          readTopicRaw({
            ...{ kafka, topic, log, timeoutMs: keepMs, signal: reading, reader: 'location' },
            ranges: new Map([[partition, range]]),
            async onRecord(record) {
              options.take([record]);
              if (++taken % OLDER_AT_ONCE === 0) await nextTurn();
            },
          }),
        { topic, log, signal: reading },
      );
      if (count === undefined || older.get(partition) !== range) continue;
      older.delete(partition);
      log.info({ topic, partition, records: count, tookMs: Date.now() - beganMs }, 'older positions read');
    }
  }

  async function learnEnds(partitions: readonly number[]): Promise<void> {
    const ends = await askUntilAnswered(() => endOffsets(kafka, topic), options);
    if (ends === undefined) return;
    for (const partition of partitions) {
      if (missing.has(partition)) missing.set(partition, ends[partition] ?? 0);
      settle(partition);
    }
  }

  function assigned(partitions: readonly number[]): void {
    hasShare = true;
    for (const partition of [...next.keys()])
      if (!partitions.includes(partition)) {
        next.delete(partition);
        missing.delete(partition);
        older.get(partition)?.left.abort();
        older.delete(partition);
        options.drop(partition, (other) => next.has(other));
      }
    const come = partitions.filter((partition) => !next.has(partition));
    for (const partition of come) {
      const [from, to] = [begins.kept[partition] ?? 0, begins.fresh[partition] ?? 0];
      next.set(partition, to);
      missing.set(partition, undefined);
      if (from < to) older.set(partition, { from, to, left: new AbortController() });
    }
    log.info({ topic, holds: [...next.keys()], come }, 'partitions shared out');
    if (come.length > 0) void learnEnds(come);
    else goOnWithOlder();
  }

  async function hold(): Promise<void> {
    let isLearning = false;
    /** One at a time: each goes on until Kafka answers. */
    const learnBegins = async (): Promise<void> => {
      if (isLearning) return;
      isLearning = true;
      const since = (ms: number) => offsetsSince(kafka, topic, Date.now() - ms);
      const learnt = await askUntilAnswered(
        async () => ({ kept: await since(keepMs), fresh: await since(freshMs) }),
        options,
      );
      begins = learnt ?? begins;
      isLearning = false;
    };
    await learnBegins();
    if (signal.aborted) return;
    const learning = setInterval(() => void learnBegins(), freshMs / 4);
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
    answersFor: (partition, maxAgeMs) =>
      next.has(partition) && !missing.has(partition) && (maxAgeMs <= freshMs || !older.has(partition)),
    isReady: () => hasShare && missing.size === 0,
  };
}
