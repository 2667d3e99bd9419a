import type { Kafka, KafkaLog } from './client';
import { withAdmin } from './client';
import { runConsumer, type RawRecord } from './consumer';
import { partitionName } from './partition';

export interface TelemetryOptions {
  readonly kafka: Kafka;
  /** Offsets are committed under it, so that lag can be seen from outside; they are not where a start reads from. */
  readonly group: string;
  readonly topics: readonly string[];
  /** Records of one partition in order. What it throws is logged and the records are skipped: newer ones will come. */
  readonly onRecords: (records: readonly RawRecord[]) => void | Promise<void>;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  /** Once, when all that lay in the partitions assigned first has been read: what is held in memory is whole. */
  readonly onCaughtUp?: () => void;
}

const commitEveryMs = 1_000;

/**
 * Reads telemetry (newest wins, nothing is kept in a database) until the signal is aborted: every partition from its
 * beginning when it becomes ours, so that what is held in memory is built again from the log.
 */
export async function runTelemetry(options: TelemetryOptions): Promise<void> {
  const { kafka, group, topics, signal, log } = options;
  const committedAt = new Map<string, number>();
  const caughtUp = watchCatchUp(options);
  await runConsumer({
    ...{ kafka, group, topics, signal, log },
    startAt: (_partition, isKept) => (isKept ? null : 0),
    onAssigned: caughtUp.assigned,
    async onBatch(batch) {
      try {
        await options.onRecords(batch.records);
      } catch (error) {
        log.error({ err: error, group, topic: batch.topic, partition: batch.partition }, 'telemetry skipped');
      }
      const next = (batch.records.at(-1)?.offset ?? -1) + 1;
      const name = partitionName(batch.topic, batch.partition);
      const atEnd = next >= batch.endOffset;
      if (atEnd || Date.now() - (committedAt.get(name) ?? 0) >= commitEveryMs) {
        committedAt.set(name, Date.now());
        await batch.commit(next);
      } else batch.skipTo(next);
      caughtUp.read(name, next);
    },
  });
}

/** Compares what was read with the ends that the first assignment's partitions had. */
function watchCatchUp({ kafka, topics, log, onCaughtUp }: TelemetryOptions) {
  let ends: Map<string, number> | undefined;
  const read = new Map<string, number>();
  let started = false;
  const check = (): void => {
    if (!ends || ![...ends].every(([name, end]) => (read.get(name) ?? 0) >= end)) return;
    ends = undefined;
    onCaughtUp?.();
  };
  const learn = async (assigned: Readonly<Record<string, number[]>>): Promise<void> => {
    const found = new Map<string, number>();
    await withAdmin(kafka, async (admin) => {
      for (const topic of topics) {
        for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
          const ours = assigned[topic]?.includes(partition);
          if (ours && Number(high) > Number(low)) found.set(partitionName(topic, partition), Number(high));
        }
      }
    });
    ends = found;
    check();
  };
  return {
    assigned: (assigned: Readonly<Record<string, number[]>>): void => {
      if (started) return;
      started = true;
      learn(assigned).catch((error: unknown) => {
        started = false;
        log.warn({ err: error }, 'ends of the partitions not known');
      });
    },
    read: (name: string, next: number): void => {
      read.set(name, next);
      check();
    },
  };
}
