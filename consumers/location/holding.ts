import { setImmediate as nextTurn } from 'node:timers/promises';
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

/** A partition that is held, from when it comes until it goes. */
interface Stay {
  /** The offset of its next record. */
  next: number;
  /** Where its log ended when it came, undefined until that is known: what is fresh lies before. */
  end: number | undefined;
  /** The offsets between which the older positions are that have not been read. */
  olderFrom: number;
  readonly olderTo: number;
}

const hasFresh = ({ next, end }: Stay): boolean => end !== undefined && next >= end;
const lacksOlder = ({ olderFrom, olderTo }: Stay): boolean => olderFrom < olderTo;

/**
 * Takes its share of the topic's partitions in the group. What comes to it is read from the log, what is fresh first and then
 * what is older, as far back as it is of use, and what goes is dropped. What stays is read on from where it was. Reading
 * something twice, or an older position after a newer one, changes nothing.
 */
export function startHolding(options: HoldingOptions): Holding {
  const { kafka, group, topic, freshMs, keepMs, signal, log } = options;
  let begins: Begins = { fresh: {}, kept: {} };
  let hasShare = false;
  /** By partition that is held. */
  const stays = new Map<number, Stay>();
  let readingOlder: Promise<void> | undefined;
  /** Has the reading of what is older left off where it is. */
  let leavingOff = new AbortController();

  const allHaveFresh = (): boolean => [...stays.values()].every(hasFresh);

  /** Whose older positions are read now; none while something fresh is to be read first. */
  const nextOlder = (): [partition: number, stay: Stay] | undefined =>
    signal.aborted || !allHaveFresh() ? undefined : [...stays].find(([, stay]) => lacksOlder(stay));

  function goOnWithOlder(): void {
    if (readingOlder !== undefined || !nextOlder()) return;
    readingOlder = readOlder().finally(() => {
      readingOlder = undefined;
      goOnWithOlder();
    });
  }

  /** Partition by partition, with turns for the others in between. Where it leaves off it goes on later. */
  async function readOlder(): Promise<void> {
    for (let next = nextOlder(); next; next = nextOlder()) {
      const [partition, stay] = next;
      leavingOff = new AbortController();
      const reading = AbortSignal.any([signal, leavingOff.signal]);
      const beganMs = Date.now();
      let taken = 0;
      const rangeOf = (one: number) =>
        one === partition ? { from: stay.olderFrom, to: stay.olderTo } : undefined;
      const count = await askUntilAnswered(
        () =>
          readTopicRaw({
            ...{ kafka, topic, log, timeoutMs: keepMs, signal: reading, reader: 'location', rangeOf },
            async onRecord(record) {
              options.take([record]);
              stay.olderFrom = record.offset + 1;
              if (++taken % OLDER_AT_ONCE === 0) await nextTurn();
            },
          }),
        { topic, log, signal: reading },
      );
      if (count === undefined) continue;
      stay.olderFrom = stay.olderTo;
      log.info({ topic, partition, records: taken, tookMs: Date.now() - beganMs }, 'older positions read');
    }
  }

  async function learnEnds(come: ReadonlyMap<number, Stay>): Promise<void> {
    const ends = await askUntilAnswered(() => endOffsets(kafka, topic), options);
    if (ends === undefined) return;
    for (const [partition, stay] of come) stay.end = ends[partition] ?? 0;
    goOnWithOlder();
  }

  function assigned(partitions: readonly number[]): void {
    hasShare = true;
    leavingOff.abort();
    for (const partition of [...stays.keys()])
      if (!partitions.includes(partition)) {
        stays.delete(partition);
        options.drop(partition, (other) => stays.has(other));
      }
    const come = new Map<number, Stay>();
    for (const partition of partitions.filter((each) => !stays.has(each))) {
      const [olderFrom, next] = [begins.kept[partition] ?? 0, begins.fresh[partition] ?? 0];
      come.set(partition, { next, end: undefined, olderFrom, olderTo: next });
    }
    for (const [partition, stay] of come) stays.set(partition, stay);
    log.info({ topic, holds: [...stays.keys()], come: [...come.keys()] }, 'partitions shared out');
    if (come.size > 0) void learnEnds(come);
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
      startAt: (partition) => stays.get(partition)?.next ?? begins.fresh[partition] ?? 0,
      onAssigned: (shares) => assigned(shares[topic] ?? []),
      async onBatch(batch) {
        const stay = stays.get(batch.partition);
        if (!stay) return;
        options.take(batch.records);
        stay.next = (batch.records.at(-1)?.offset ?? -1) + 1;
        // A log that was made anew, or has lost its end, may be far from getting there again.
        if (stay.end !== undefined) stay.end = Math.min(stay.end, batch.endOffset);
        goOnWithOlder();
        await batch.commit(stay.next);
      },
    }).finally(() => clearInterval(learning));
    await readingOlder;
  }

  return {
    done: hold(),
    get partitions() {
      return Object.keys(begins.fresh).length;
    },
    answersFor(partition, maxAgeMs) {
      const stay = stays.get(partition);
      return stay !== undefined && hasFresh(stay) && (maxAgeMs <= freshMs || !lacksOlder(stay));
    },
    isReady: () => hasShare && allHaveFresh(),
  };
}
