import { wait } from '../wait';

/** Work on what came of one partition; `isLive` turns false when it is not wanted any more. */
export type LaneWork = (isLive: () => boolean) => Promise<void>;

export interface LaneBounds {
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

interface Lane {
  /** Rises when what waits is not wanted any more. */
  generation: number;
  queued: number;
  tail: Promise<void>;
}

/**
 * Work in hand, one lane a partition: what comes for a partition is done one after another, while the next is fetched.
 * What is dropped (the partition was taken, or is read from elsewhere) is not begun any more; what was begun learns it.
 */
export class Lanes {
  private readonly lanes = new Map<string, Lane>();
  private readonly listeners = new Set<() => void>();
  private held = { records: 0, bytes: 0 };

  constructor(
    private readonly bounds: LaneBounds,
    /** Of work that threw: a bug, as work sees to its own errors. */
    private readonly onFailure: (error: unknown) => void,
  ) {}

  push(place: string, size: Size, work: LaneWork): void {
    const lane = this.lane(place);
    const { generation } = lane;
    const isLive = (): boolean => lane.generation === generation;
    lane.queued += 1;
    this.held.records += size.records;
    this.held.bytes += size.bytes;
    lane.tail = lane.tail
      .then(() => (isLive() ? work(isLive) : undefined))
      .catch(this.onFailure)
      .then(() => {
        lane.queued -= 1;
        this.held.records -= size.records;
        this.held.bytes -= size.bytes;
        for (const listener of this.listeners) listener();
      });
  }

  /** Whether the next batch of the partition may come. */
  hasRoom(place: string): boolean {
    const { maxRecords, maxBytes, ahead } = this.bounds;
    const { queued } = this.lane(place);
    return queued === 0 || (queued <= ahead && this.held.records < maxRecords && this.held.bytes < maxBytes);
  }

  /** Resolves when there is room; false when there was none within `ms` or the signal was aborted. */
  async room(place: string, ms: number, signal: AbortSignal): Promise<boolean> {
    if (this.hasRoom(place)) return true;
    const ended = new AbortController();
    const look = (): void => {
      if (this.hasRoom(place) || signal.aborted) ended.abort();
    };
    look();
    this.listeners.add(look);
    signal.addEventListener('abort', look);
    await wait(ms, ended.signal);
    signal.removeEventListener('abort', look);
    this.listeners.delete(look);
    return this.hasRoom(place);
  }

  /** Resolves when there is room, or the signal is aborted. */
  async untilRoom(place: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.room(place, 60_000, signal)));
  }

  /** What waits for this partition, or for all, is not begun any more. */
  drop(place?: string): void {
    for (const [name, lane] of this.lanes) if (place === undefined || name === place) lane.generation += 1;
  }

  /** Resolves when nothing is in work. */
  async idle(): Promise<void> {
    await Promise.all([...this.lanes.values()].map(({ tail }) => tail));
  }

  private lane(place: string): Lane {
    let lane = this.lanes.get(place);
    if (!lane) this.lanes.set(place, (lane = { generation: 0, queued: 0, tail: Promise.resolve() }));
    return lane;
  }
}
