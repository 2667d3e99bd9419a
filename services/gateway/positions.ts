import type { DriverPosition } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { keyOfRegion, type Region, type Regions } from '../../domain/regions';
import type { FactProducer, OutgoingRecord } from '../../platform/kafka';
import type { Logger } from '../../platform/log';
import { wait } from '../../platform/wait';

export interface PositionBufferOptions {
  readonly producer: Pick<FactProducer, 'send'>;
  readonly topic: string;
  readonly regions: Regions;
  readonly log: Pick<Logger, 'warn'>;
  /** Positions that may wait for Kafka: beyond, the newest are refused. */
  readonly capacity?: number;
  /** Positions wait this long at most for others to share a record with, in milliseconds. */
  readonly flushEveryMs?: number;
  /** Positions in one record at most. */
  readonly perRecord?: number;
  /**
   * Positions that Kafka has not taken by then are sent anew, and until it takes them all others are refused. In
   * milliseconds.
   */
  readonly giveUpAfterMs?: number;
}

export interface PositionBuffer {
  /** Takes positions to be sent soon, all or none. False when too many wait already, or Kafka takes none. */
  offer(positions: readonly DriverPosition[]): boolean;
  /** Whether it would take none at all. */
  isFull(): boolean;
  /** Sends what waits until `signal`, and then what is left. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Packs positions of many drivers into few records. They are telemetry: bounded in number, sent twice rather than not at
 * all, and what is lost with the process is made good by the driver's next.
 */
export function createPositionBuffer(options: PositionBufferOptions): PositionBuffer {
  const { producer, topic, regions, log } = options;
  const { capacity = 100_000, flushEveryMs = 200, perRecord = 500, giveUpAfterMs = 3_000 } = options;
  let waiting: DriverPosition[] = [];
  let isAway = false;

  async function flush(): Promise<void> {
    if (waiting.length === 0) return;
    const positions = waiting;
    waiting = [];
    const signal = AbortSignal.timeout(giveUpAfterMs);
    try {
      await producer.send(pack(positions, { topic, perRecord, regions }, Date.now()), { signal });
      isAway = false;
    } catch (error) {
      isAway = true;
      waiting = [...positions, ...waiting];
      log.warn(
        { err: error, positions: positions.length },
        'positions not sent, others are refused until they are',
      );
    }
  }

  return {
    offer(positions) {
      if (isAway || waiting.length + positions.length > capacity) return false;
      for (const position of positions) waiting.push(position);
      return true;
    },
    isFull: () => isAway || waiting.length >= capacity,
    async run(signal) {
      while (!signal.aborted) {
        if (isAway || waiting.length < perRecord) await wait(flushEveryMs, signal);
        await flush();
      }
      await flush();
    },
  };
}

/**
 * Records of one region each, in the order in which the positions came; one near another region's rim goes there, too.
 * @param nowMs when that is: nobody was anywhere later
 */
export function pack(
  positions: readonly DriverPosition[],
  {
    topic,
    perRecord,
    regions,
  }: { readonly topic: string; readonly perRecord: number; readonly regions: Regions },
  nowMs: number,
): OutgoingRecord[] {
  const writers = new Map<Region, PositionWriter>();
  const records: OutgoingRecord[] = [];
  const finish = (region: Region, writer: PositionWriter): void => {
    const { buffer } = writer.finish();
    records.push({ topic, key: keyOfRegion(region), value: Buffer.from(buffer), headers: {} });
  };
  for (const position of positions)
    for (const region of regions.toldOf(position)) {
      let writer = writers.get(region);
      if (writer?.count === perRecord) finish(region, writer);
      if (writer === undefined || writer.count === perRecord)
        writers.set(region, (writer = new PositionWriter(nowMs)));
      writer.add(position);
    }
  for (const [region, writer] of writers) finish(region, writer);
  return records;
}
