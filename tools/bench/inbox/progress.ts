import type { RawRecord } from '../../../platform/kafka';

/** What every contestant's process is told of the log that it reads. */
export interface LogOrder {
  readonly contestant: string;
  readonly brokers: string[];
  readonly databaseUrl: string;
  readonly group: string;
  readonly topic: string;
  /** Where the partitions with records end. */
  readonly ends: Readonly<Record<number, number>>;
}

/** What it says: when its partitions were its own, how far it is (0 to 1), and when all was done; by the clock. */
export type WorkerNews =
  | { readonly at: 'assigned'; readonly ms: number }
  | { readonly at: 'progress'; readonly share: number; readonly ms: number }
  | { readonly at: 'done'; readonly ms: number; readonly cpuMs: number };

/**
 * Says to whoever has forked this process how far it is; `onDone` is called when the effects of all there is are
 * committed. The process goes with the other one.
 */
export function tellProgress(order: Pick<LogOrder, 'topic' | 'ends'>, onDone: () => void) {
  const say = (news: WorkerNews): void => void process.send?.(news);
  process.on('disconnect', () => process.exit(1));
  const reached = new Map<number, number>();
  const ends = Object.entries(order.ends).map(([partition, end]) => [Number(partition), end] as const);
  const all = ends.reduce((sum, [, end]) => sum + end, 0);
  let isAssigned = false;
  return {
    assigned: (partitions: Readonly<Record<string, readonly number[]>>): void => {
      if (isAssigned || (partitions[order.topic]?.length ?? 0) === 0) return;
      isAssigned = true;
      say({ at: 'assigned', ms: Date.now() });
    },
    /** The effects of what lies below are committed. */
    reach: (records: readonly RawRecord[]): void => {
      const last = records.at(-1)!;
      reached.set(last.partition, last.offset + 1);
      const sum = [...reached.values()].reduce((total, next) => total + next, 0);
      const ms = Date.now();
      if (ends.every(([partition, end]) => (reached.get(partition) ?? 0) >= end)) {
        const { user, system } = process.cpuUsage();
        say({ at: 'done', ms, cpuMs: (user + system) / 1_000 });
        onDone();
      } else say({ at: 'progress', share: sum / all, ms });
    },
  };
}
