import { positionsRecord, type PositionsRecord } from '../../contracts/positions';
import type { RawRecord } from '../../platform/kafka';
import type { PositionStore } from './store';

/** What became of what was read since the start. */
export interface PositionCounts {
  records: number;
  /** Records that are not what contracts/positions.ts says: skipped. */
  malformed: number;
  /** Positions that told something new. */
  applied: number;
  /** Positions older than what was known. */
  outdated: number;
  /** Positions of drivers who had fallen silent since. */
  silent: number;
  /** Positions of new drivers for whom there was no room. */
  refused: number;
}

export interface PositionsHandler {
  readonly counts: Readonly<PositionCounts>;
  /** Never throws: telemetry that cannot be read is counted and left behind. */
  take(records: readonly RawRecord[]): void;
  /** Forgets drivers who have fallen silent; returns how many. */
  sweep(): number;
}

export interface PositionsHandlerOptions {
  readonly store: PositionStore;
  /** How long a silent driver is remembered. */
  readonly keepMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createPositionsHandler({ store, keepMs, now }: PositionsHandlerOptions): PositionsHandler {
  const counts: PositionCounts = {
    records: 0,
    malformed: 0,
    applied: 0,
    outdated: 0,
    silent: 0,
    refused: 0,
  };

  const takeOne = (record: RawRecord, oldestMs: number): void => {
    counts.records++;
    const parsed = parse(record.value);
    if (parsed === null) {
      counts.malformed++;
      return;
    }
    for (const [driverId, lat, lng, sequence, claimedMs] of parsed.positions) {
      // A driver's clock may be ahead: nobody was anywhere later than it was sent, and nobody stays fresh for ever.
      const atMs = Math.min(claimedMs, record.timestamp);
      if (atMs < oldestMs) {
        counts.silent++;
        continue;
      }
      const result = store.apply({ driverId, lat, lng, sequence, atMs });
      if (result === 'outdated') counts.outdated++;
      else if (result === 'full') counts.refused++;
      else counts.applied++;
    }
  };

  return {
    counts,
    take(records) {
      const oldestMs = now() - keepMs;
      for (const record of records) takeOne(record, oldestMs);
    },
    sweep: () => store.sweep(now() - keepMs),
  };
}

function parse(value: Buffer | null): PositionsRecord | null {
  if (value === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(value.toString('utf8'));
  } catch {
    return null;
  }
  return positionsRecord.safeParse(json).data ?? null;
}
