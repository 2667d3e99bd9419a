import type { DriverPosition } from '../../contracts/positionRecord';
import { positionsOf, readPositions } from '../../contracts/readPositions';
import type { RawRecord } from '../../platform/kafka';

/** A position as it lies in the log: with the region and the time of its record. */
export interface SentPosition extends DriverPosition {
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly sentMs: number;
}

/** The positions of a record of either form; none where it is no such record. Nobody was anywhere after it was sent. */
export function positionsIn({ key, value, timestamp }: RawRecord): SentPosition[] {
  const rows = readPositions(value, timestamp);
  if (rows === null) return [];
  const sent = { region: key?.toString() ?? '', sentMs: timestamp };
  return [...positionsOf(rows)].map((position) => ({
    ...{ ...position, ...sent },
    atMs: Math.min(position.atMs, timestamp),
  }));
}
