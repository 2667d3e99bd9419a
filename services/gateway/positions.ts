import { latLngToCell } from 'h3-js';
import type { PackedPosition, PositionsRecord } from '../../contracts/positions';
import { REGION_RESOLUTION } from '../../domain/geo';
import type { FactProducer, OutgoingRecord } from '../../platform/kafka';
import type { Logger } from '../../platform/log';
import { wait } from '../../platform/wait';

export interface PositionBufferOptions {
  readonly producer: Pick<FactProducer, 'send'>;
  readonly topic: string;
  readonly log: Pick<Logger, 'warn'>;
  /** Positions that may wait for Kafka: beyond, the newest are refused. */
  readonly capacity?: number;
  /** Positions wait this long at most for others to share a record with, in milliseconds. */
  readonly flushEveryMs?: number;
  /** Positions in one record at most. */
  readonly perRecord?: number;
  /** Positions that Kafka has not taken by then are dropped: newer ones wait behind them. In milliseconds. */
  readonly giveUpAfterMs?: number;
}

export interface PositionBuffer {
  /** Takes positions to be sent soon, all or none. False when too many wait already. */
  offer(positions: readonly PackedPosition[]): boolean;
  /** Sends what waits until `signal`, and then what is left. */
  run(signal: AbortSignal): Promise<void>;
}

/** The region that a position belongs to, the key of its record: an H3 cell. */
export const regionOf = (lat: number, lng: number): string => latLngToCell(lat, lng, REGION_RESOLUTION);

/**
 * Packs positions of many drivers into few records. They are telemetry: bounded in number and in time, and a lost one
 * is made good by the driver's next.
 */
export function createPositionBuffer(options: PositionBufferOptions): PositionBuffer {
  const { producer, topic, log } = options;
  const { capacity = 20_000, flushEveryMs = 200, perRecord = 500, giveUpAfterMs = 3_000 } = options;
  let waiting: PackedPosition[] = [];

  async function flush(): Promise<void> {
    if (waiting.length === 0) return;
    const positions = waiting;
    waiting = [];
    const signal = AbortSignal.timeout(giveUpAfterMs);
    try {
      await producer.send(pack(positions, topic, perRecord), { signal });
    } catch (error) {
      log.warn({ err: error, positions: positions.length }, 'positions dropped');
    }
  }

  return {
    offer(positions) {
      if (waiting.length + positions.length > capacity) return false;
      waiting.push(...positions);
      return true;
    },
    async run(signal) {
      while (!signal.aborted) {
        if (waiting.length < perRecord) await wait(flushEveryMs, signal);
        await flush();
      }
      await flush();
    },
  };
}

/** Records of one region each, in the order in which the positions came. */
export function pack(
  positions: readonly PackedPosition[],
  topic: string,
  perRecord: number,
): OutgoingRecord[] {
  const regions = new Map<string, PackedPosition[]>();
  for (const position of positions) {
    const region = regionOf(position[1], position[2]);
    const list = regions.get(region);
    if (list) list.push(position);
    else regions.set(region, [position]);
  }
  const records: OutgoingRecord[] = [];
  for (const [region, list] of regions) {
    for (let from = 0; from < list.length; from += perRecord) {
      const value: PositionsRecord = { v: 1, positions: list.slice(from, from + perRecord) };
      records.push({ topic, key: region, value: JSON.stringify(value), headers: {} });
    }
  }
  return records;
}
