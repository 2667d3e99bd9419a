import type { RawRecord } from './kafka/consumer';
import type { Partition } from './kafka/partition';

/**
 * What the pieces of the backbone tell whoever watches them: metrics and traces (platform/metrics, platform/telemetry),
 * of which they know nothing themselves. A method neither waits nor throws; it is called once a batch, not once a fact.
 */

/** Of one producer. */
export interface ProducerObserver {
  /** Records of a partition are acknowledged by all replicas. */
  sent(to: Partition, records: number, bytes: number): void;
  /** A request was answered after so long; `error` is Kafka's name of what was wrong, or the error's own, null for none. */
  answered(seconds: number, error: string | null): void;
}

/** Records of one partition that are handled together. */
export interface Batch extends Partition {
  readonly records: readonly RawRecord[];
  /** Offset that the next record written to the partition will have, as of the fetch. */
  readonly endOffset: number;
}

/** What became of a batch. */
export interface BatchOutcome {
  readonly applied: number;
  readonly duplicates: number;
  /** Facts that the consumer leaves out by choice, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** The codes of those that could not be applied: each is in the dead-letter topic now, its key parked. */
  readonly dead: readonly string[];
  /** How many were put behind a dead one of their key. */
  readonly waiting: number;
}

/** Of one consumer group's member. */
export interface InboxObserver {
  /** After each joining of the group: the partitions that are ours now. */
  assigned(partitions: Readonly<Record<string, readonly number[]>>): void;
  /** The consumer gave up, and a new one takes its place. */
  restarted(): void;
  /** Runs the work on a batch, one try: whatever it answers or throws goes on as it is. */
  during<T>(batch: Batch, work: () => Promise<T>): Promise<T>;
  /** The batch is committed. */
  settled(batch: Batch, outcome: BatchOutcome): void;
  /** A try failed, and the batch comes again; `code` is the error's. */
  failed(batch: Batch, code: string): void;
  /** Work on the partition has ended before it was done: the partition is not ours any more, or is read again. */
  left(partition: Partition): void;
}

/** Of the relay of one database. */
export interface RelayObserver {
  /** Facts with values of so many characters are in Kafka, so long after they were handed to the producer. */
  sent(facts: number, bytes: number, seconds: number): void;
  /** Kafka refused a fact alone: its key is parked. */
  refused(): void;
  /** A fact is missing between two of its key. */
  gap(): void;
}
