import {
  keptOffsets,
  runConsumer,
  type ConsumedBatch,
  type Kafka,
  type KafkaLog,
  type RawRecord,
} from '../../../platform/kafka';
import type { LagClock } from '../../../platform/metrics/lag';
import type { Vault } from '../../../platform/personal';
import type { Pool } from '../../../platform/postgres';
import { untilDone } from '../untilDone';
import { openPosition, resetPosition, writeWays } from './chunks';
import { Collector } from './collector';
import { Legs, type DrivenRide } from './legs';

/** Positions are read so long after they were sent: by then it is usually known who drives which ride. */
const BEHIND_MS = 5_000;
/** So often it is looked who drives which ride, and whether there is something to write. */
const LOOK_EVERY_MS = 1_000;
/** In memory, of one partition: some megabytes. */
const MOST_POINTS = 20_000;

export interface RecordOptions {
  readonly kafka: Kafka;
  readonly group: string;
  /** With its prefix. */
  readonly topic: string;
  readonly pool: Pool;
  readonly vault: Pick<Vault, 'withKeys' | 'sealBytes'>;
  /** What comes within this time is written together. */
  readonly chunkMs: number;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly lag?: LagClock;
  /** How long positions lie before they are read (5 s). */
  readonly behindMs?: number;
}

/** Reads drivers' positions until the signal is aborted, and keeps those of drivers on a ride as the ride's way. */
export async function recordPaths(options: RecordOptions): Promise<void> {
  const { kafka, group, topic, signal, log } = options;
  const recorder = new Recorder(options);
  await runConsumer({
    ...{ kafka, group, topics: [topic], signal, log },
    onAssigned(assigned) {
      recorder.forget();
      options.lag?.assigned(assigned);
    },
    onBatch: (batch) => recorder.take(batch),
  });
}

class Recorder {
  private collectors = new Map<number, Collector>();
  private readonly legs = new Legs();
  /** By partition: records below an offset have been there since then, whatever the clock says of who sent them. */
  private seen = new Map<number, { readonly below: number; readonly atMs: number }>();

  constructor(private readonly options: RecordOptions) {}

  /** What is in hand is read again, by whoever has the partition now. */
  forget(): void {
    this.collectors = new Map();
    this.seen = new Map();
  }

  async take(batch: ConsumedBatch): Promise<void> {
    const { lag, signal, log } = this.options;
    const [first] = batch.records;
    if (first === undefined) return;
    await untilDone(() => this.goOn(batch), {
      ...{ isWanted: () => batch.isLive(), signal, log, trouble: 'the ways of rides are not written' },
    });
    const collector = this.collectors.get(batch.partition);
    if (collector === undefined) lag?.done(batch);
    else lag?.inHand(batch, collector.firstSentMs);
  }

  private async goOn(batch: ConsumedBatch): Promise<void> {
    const collector = await this.collectorOf(batch);
    if (collector === null) return;
    const records = batch.records.filter(({ offset }) => offset >= collector.next);
    await this.lookAtRides(collector, this.ripeOf(batch, records).length < records.length);
    const ripe = this.ripeOf(batch, records);
    // The collector may have been dropped while it was looked at rides.
    if (!batch.isLive() || this.collectors.get(batch.partition) !== collector) return;
    collector.take(ripe, this.legs, this.options.now());
    if (this.isDue(collector) && !(await this.write(batch, collector))) return;
    await this.comeAgain(batch, records[ripe.length]);
  }

  /** What is collected of the batch's partition; null where the partition is read from elsewhere. */
  private async collectorOf(batch: ConsumedBatch): Promise<Collector | null> {
    const known = this.collectors.get(batch.partition);
    const { partition } = batch;
    const [first] = batch.records;
    if (known !== undefined && batch.fetchedFrom <= known.next) return known;
    const { pool, kafka, now } = this.options;
    let next = await openPosition(pool, partition, batch.fetchedFrom, first!.timestamp);
    if (next < batch.fetchedFrom || next > batch.endOffset) {
      const kept = await keptOffsets(kafka, batch);
      const to = next < kept.begin ? kept.begin : next > kept.end ? batch.fetchedFrom : next;
      if (to !== next) await resetPosition(pool, partition, next, to);
      if (to < batch.fetchedFrom) {
        batch.readFrom(to);
        return null;
      }
      next = to;
    }
    const begins = batch.records.find(({ offset }) => offset >= next) ?? first!;
    const collector = new Collector(partition, next, Math.min(begins.timestamp, now()), now());
    this.collectors.set(partition, collector);
    return collector;
  }

  private async lookAtRides(collector: Collector, isOld: boolean): Promise<void> {
    const { legs } = this;
    const { pool, now } = this.options;
    const isBefore = collector.firstSentMs < legs.sinceMs;
    if (!isBefore && !(isOld && now() - legs.asOfMs >= LOOK_EVERY_MS)) return;
    this.learn(await legs.look(pool, this.sinceMs(), now()));
  }

  private sinceMs(): number {
    return Math.min(...[...this.collectors.values()].map(({ firstSentMs }) => firstSentMs));
  }

  private learn(rides: readonly DrivenRide[]): void {
    for (const collector of this.collectors.values()) collector.learn(rides);
  }

  /** The first records that were sent, or had come, long enough before it was looked at rides. */
  private ripeOf(
    { partition, endOffset }: ConsumedBatch,
    records: readonly RawRecord[],
  ): readonly RawRecord[] {
    const { now, behindMs = BEHIND_MS } = this.options;
    const seen = this.seen.get(partition) ?? { below: 0, atMs: 0 };
    const green = records.findIndex(({ offset, timestamp }) => {
      const sinceMs = offset < seen.below ? Math.min(timestamp, seen.atMs) : timestamp;
      return sinceMs > this.legs.asOfMs - behindMs;
    });
    if (green < 0) return records;
    if (records[green]!.offset >= seen.below) this.seen.set(partition, { below: endOffset, atMs: now() });
    return records.slice(0, green);
  }

  private isDue({ next, from, beganMs, points }: Collector): boolean {
    const { now, chunkMs } = this.options;
    return next > from && (points >= MOST_POINTS || now() - beganMs >= chunkMs);
  }

  /** @returns false where the partition is read again from where it was, or from what could not be written */
  private async write(batch: ConsumedBatch, collector: Collector): Promise<boolean> {
    const { pool, vault, now } = this.options;
    const isWritten = await writeWays(collector, {
      ...{ pool, vault, now, legs: this.legs },
      sinceMs: () => this.sinceMs(),
      onNew: (rides) => this.learn(rides),
    });
    this.collectors.delete(batch.partition);
    if (!isWritten) {
      batch.readFrom(await openPosition(pool, batch.partition, collector.from, collector.firstSentMs));
      return false;
    }
    await batch.commit(collector.next);
    return true;
  }

  /**
   * Has the batch come again when there may be something to do: with its first record that is too young, or with its last
   * one where all were taken and not written yet.
   */
  private async comeAgain(batch: ConsumedBatch, green: RawRecord | undefined): Promise<void> {
    const collector = this.collectors.get(batch.partition);
    const isClean = collector === undefined || collector.next === collector.from;
    const last = batch.records.at(-1)!;
    const behind = last.offset + 1;
    if (green === undefined && isClean) {
      this.collectors.delete(batch.partition);
      return batch.commit(behind);
    }
    if (green === undefined && behind < batch.endOffset) return batch.skipTo(behind);
    const again = green?.offset ?? last.offset;
    if (again > batch.records[0]!.offset) batch.skipTo(again);
    batch.holdFor(LOOK_EVERY_MS);
  }
}
