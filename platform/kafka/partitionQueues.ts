import { wait } from '../wait';

/** Work on what came of one partition; `isLive` turns false when it is not wanted any more. */
export type QueuedWork = (isLive: () => boolean) => Promise<void>;

export interface QueueBounds {
  /** Batches of a partition that may wait behind the one in work. */
  readonly ahead: number;
  /** What all partitions together may hold: records, and their bytes. */
  readonly maxRecords: number;
  readonly maxBytes: number;
}

interface Size {
  readonly records: number;
  readonly bytes: number;
}

interface Queue {
  /** Rises when what waits is not wanted any more. */
  generation: number;
  queued: number;
  tail: Promise<void>;
}

/**
 * Work in hand, one queue a partition: what comes for a partition is done one after another, while the next is fetched.
 * What is dropped (the partition was taken, or is read from elsewhere) is not begun any more; what was begun learns it.
 */
export class PartitionQueues {
  private readonly queues = new Map<string, Queue>();
  private readonly listeners = new Set<() => void>();
  private held = { records: 0, bytes: 0 };

  constructor(
    private readonly bounds: QueueBounds,
    /** Of work that threw: a bug, as work sees to its own errors. */
    private readonly onFailure: (error: unknown) => void,
  ) {}

  push(partition: string, size: Size, work: QueuedWork): void {
    const queue = this.queue(partition);
    const { generation } = queue;
    const isLive = (): boolean => queue.generation === generation;
    queue.queued += 1;
    this.held.records += size.records;
    this.held.bytes += size.bytes;
    queue.tail = queue.tail
      .then(() => (isLive() ? work(isLive) : undefined))
      .catch(this.onFailure)
      .then(() => {
        queue.queued -= 1;
        this.held.records -= size.records;
        this.held.bytes -= size.bytes;
        for (const listener of this.listeners) listener();
      });
  }

  /** Whether the next batch of the partition may come. */
  hasRoom(partition: string): boolean {
    const { maxRecords, maxBytes, ahead } = this.bounds;
    const { queued } = this.queue(partition);
    return queued === 0 || (queued <= ahead && this.held.records < maxRecords && this.held.bytes < maxBytes);
  }

  /** Resolves when there is room; false when there was none within `ms` or the signal was aborted. */
  async room(partition: string, ms: number, signal: AbortSignal): Promise<boolean> {
    if (this.hasRoom(partition)) return true;
    const ended = new AbortController();
    const look = (): void => {
      if (this.hasRoom(partition) || signal.aborted) ended.abort();
    };
    look();
    this.listeners.add(look);
    signal.addEventListener('abort', look);
    await wait(ms, ended.signal);
    signal.removeEventListener('abort', look);
    this.listeners.delete(look);
    return this.hasRoom(partition);
  }

  /** Resolves when there is room, or the signal is aborted. */
  async untilRoom(partition: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.room(partition, 60_000, signal)));
  }

  /** What waits for this partition, or for all, is not begun any more. */
  drop(partition?: string): void {
    for (const [name, queue] of this.queues)
      if (partition === undefined || name === partition) queue.generation += 1;
  }

  /** Resolves when nothing is in work. */
  async idle(): Promise<void> {
    await Promise.all([...this.queues.values()].map(({ tail }) => tail));
  }

  private queue(partition: string): Queue {
    let queue = this.queues.get(partition);
    if (!queue) this.queues.set(partition, (queue = { generation: 0, queued: 0, tail: Promise.resolve() }));
    return queue;
  }
}
