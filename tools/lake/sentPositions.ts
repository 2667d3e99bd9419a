import { driverIdOfKey, isKeyElsewhere } from '../../contracts/driverKey';
import {
  HEADER_WORDS,
  row,
  ROW_WORDS,
  sequenceOf,
  type DriverPosition,
  type PositionRows,
} from '../../contracts/positionRecord';
import { readPositions } from '../../contracts/readPositions';
import { DEGREE } from '../../domain/geo';
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

function* positionsOf({ count, baseMs, words, longIds }: PositionRows): Generator<DriverPosition> {
  let long = 0;
  for (let i = 0; i < count; i += 1) {
    const at = HEADER_WORDS + i * ROW_WORDS;
    yield {
      driverId: isKeyElsewhere(words, at) ? longIds[long++]! : driverIdOfKey(words, at),
      lat: words[at + row.lat]! / DEGREE,
      lng: words[at + row.lng]! / DEGREE,
      sequence: sequenceOf(words, at),
      atMs: baseMs - (words[at + row.ageMs]! >>> 0),
    };
  }
}
