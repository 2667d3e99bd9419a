import { readPositions } from '../../contracts/readPositions';
import type { RawRecord } from '../../platform/kafka';
import type { Applied } from './intake';
import type { PositionIndex } from './positionIndex';

/** What became of what was read since the start. */
export interface PositionCounts extends Applied {
  records: number;
  /** Records that are not what contracts/ says: skipped. */
  malformed: number;
}

export interface PositionsHandler {
  readonly counts: Readonly<PositionCounts>;
  /** Never throws: telemetry that cannot be read is counted and left behind. */
  take(records: readonly Pick<RawRecord, 'partition' | 'value' | 'timestamp'>[]): void;
  /** Forgets drivers who have fallen silent, as far as a bounded number of looks goes; returns how many. */
  sweep(): number;
}

export interface PositionsHandlerOptions {
  readonly index: PositionIndex;
  /** How long a silent driver is remembered. */
  readonly keepMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Some 5 ms of work. */
const SLOTS_A_SWEEP = 200_000;

export function createPositionsHandler({ index, keepMs, now }: PositionsHandlerOptions): PositionsHandler {
  const counts: PositionCounts = {
    ...{ records: 0, malformed: 0 },
    ...{ applied: 0, outdated: 0, silent: 0, refused: 0 },
  };
  return {
    counts,
    take(records) {
      const oldestMs = now() - keepMs;
      for (const { value, partition, timestamp } of records) {
        counts.records++;
        const rows = readPositions(value, timestamp);
        if (rows === null) counts.malformed++;
        else index.apply(rows, { partition, sentMs: timestamp, oldestMs }, counts);
      }
    },
    sweep: () => index.sweep(now() - keepMs, SLOTS_A_SWEEP),
  };
}
