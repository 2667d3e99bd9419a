import type { Kafka, PartitionAssigner } from 'kafkajs';
import type { KafkaLog } from './client';

/** A record as it lies in Kafka. Its key, value and headers may be made each time they are asked for: ask once. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  /** When it was sent, milliseconds since 1970. */
  readonly timestamp: number;
}

/** The records of one partition that came together. */
export interface ConsumedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly RawRecord[];
  /** The offset that was asked for: from there on, nothing that the log has is missing before the last record. */
  readonly fetchedFrom: number;
  /** Offset that the next record written to the partition will have, as of the fetch. */
  readonly endOffset: number;
  /** False once the consumer stops, the group is rebalancing or the partition is read from elsewhere: leave off early. */
  isLive(): boolean;
  /** Records below `nextOffset` are done with. Kafka is told; an error (the partition was taken) may be let through. */
  commit(nextOffset: number): Promise<void>;
  /** Goes on behind these records without telling Kafka yet. */
  skipTo(nextOffset: number): void;
  /** Holds the partition: what is not committed comes again after `ms`, while other partitions and heartbeats go on. */
  holdFor(ms: number): void;
  /** Reads the partition on from `offset`: what has come of it since is dropped, this batch with it. */
  readFrom(offset: number): void;
}

export interface ConsumerOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topics: readonly string[];
  /** One call at a time for a partition; calls for different partitions overlap up to `concurrency`. */
  readonly onBatch: (batch: ConsumedBatch) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  /** Partitions handled at once (3); without meaning where batches are read ahead. */
  readonly concurrency?: number;
  /**
   * Fetches on while a batch is in work, within these bounds. `onBatch` then goes on by itself: it comes to an end with
   * its batch (trying again is its own affair) or leaves off once that is not live, and does not hold the partition.
   */
  readonly ahead?: {
    /** Records, and bytes, that all partitions together may have in hand before no more are fetched. */
    readonly maxRecords: number;
    readonly maxBytes: number;
  };
  /**
   * The offset to read a partition from at each joining of the group, whatever was committed; null leaves it where it
   * is. It is kept when it was this consumer's before the joining, too.
   */
  readonly startAt?: (partition: number, isKept: boolean, topic: string) => number | null;
  /** Who of the group reads which partition; by turns, one each, unless told (`inCopies`). */
  readonly assigner?: PartitionAssigner;
  /** Bytes fetched for a partition at once (1 MB). */
  readonly maxBytesPerPartition?: number;
  /** After each joining of the group, with the partitions that are ours now. */
  readonly onAssigned?: (assigned: Readonly<Record<string, number[]>>) => void;
  /** kafkajs has given up, and a new consumer takes its place. */
  readonly onRestart?: () => void;
}
