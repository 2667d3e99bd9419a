import { partitionName, type RawRecord } from '../../platform/kafka';

/** Of one partition: what of it is in memory at most, beside what Kafka gives at once. */
const MOST_BYTES = 2_097_152;

/** Reads on behind what it has read. Null: the store has no more, Kafka goes on. */
export type ReadStore = () => Promise<RawRecord[] | null>;

/** The records of one partition in their order: from the store those that Kafka has no more, then Kafka's. */
export class PartitionFeed {
  private buffer: RawRecord[] = [];
  private bytes = 0;
  private store: ReadStore | null;
  /** The first offset that Kafka has yet to give. */
  private expected: number;
  private failure: Error | undefined;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly topic: string,
    readonly partition: number,
    /** Kafka's first offset: below it is the store's. */
    readonly begin: number,
    readStore: ReadStore | null,
  ) {
    this.expected = begin;
    this.store = readStore;
  }

  /** The offset that Kafka is to give next. */
  get next(): number {
    return this.expected;
  }

  /** Whether it has enough for now: Kafka's come behind the store's. */
  get isFull(): boolean {
    return this.store !== null || this.bytes > MOST_BYTES;
  }

  /** Kafka's next records. @throws Error where Kafka has lost some meanwhile */
  offer(records: readonly RawRecord[]): void {
    const fresh = records.filter(({ offset }) => offset >= this.expected);
    const [first] = fresh;
    if (first === undefined) return;
    if (first.offset > this.expected) {
      const name = partitionName(this.topic, this.partition);
      throw new Error(`Kafka's retention has passed ${name} up to ${first.offset} meanwhile: replay again`);
    }
    this.expected = (fresh.at(-1) as RawRecord).offset + 1;
    this.add(fresh);
  }

  /** Nothing more comes: whoever waits for it is told why. */
  fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  /** The next record below `end`; null when there is none. Waits for Kafka. */
  async head(end: number): Promise<RawRecord | null> {
    for (;;) {
      if (this.failure) throw this.failure;
      const [head] = this.buffer;
      if (head) return head.offset < end ? head : null;
      if (this.store) {
        const records = await this.store();
        if (records === null) this.store = null;
        else this.add(records);
      } else if (this.expected >= end) return null;
      else await this.change();
    }
  }

  /** The records in hand below `end` and not sent after `ms`, `most` of them. They stay until they are dropped. */
  peek(end: number, ms: number, most: number): RawRecord[] {
    const records = this.buffer.slice(0, most);
    const beyond = records.findIndex(({ offset, timestamp }) => offset >= end || timestamp > ms);
    return beyond < 0 ? records : records.slice(0, beyond);
  }

  /** Those have been applied. */
  drop(records: readonly RawRecord[]): void {
    this.buffer = this.buffer.slice(records.length);
    for (const record of records) this.bytes -= sizeOf(record);
    this.wake();
  }

  private add(records: readonly RawRecord[]): void {
    this.buffer.push(...records);
    for (const record of records) this.bytes += sizeOf(record);
    this.wake();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiting.add(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

const sizeOf = ({ value }: RawRecord): number => (value?.length ?? 0) + 500;
