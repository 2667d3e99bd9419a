import { driverIdOfKey, isKeyElsewhere } from '../../contracts/driverKey';
import {
  HEADER_WORDS,
  isBinaryRecord,
  readPositionRecord,
  row,
  ROW_WORDS,
  sequenceOf,
  type DriverPosition,
} from '../../contracts/positionRecord';
import { positionsRecord } from '../../contracts/positions';
import { DEGREE } from '../../domain/geo';
import type { RawRecord } from '../../platform/kafka';

/** A position as it lies in the log: with the region and the time of its record. */
export interface SentPosition extends DriverPosition {
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly sentMs: number;
}

/** The positions of a record of either form; none where it is no such record. */
export function positionsIn({ key, value, timestamp }: RawRecord): SentPosition[] {
  const sent = { region: key?.toString() ?? '', sentMs: timestamp };
  try {
    if (value === null) return [];
    const found = isBinaryRecord(value) ? [...inBinary(value)] : inJson(value);
    return found.map((position) => ({ ...position, ...sent }));
  } catch {
    return [];
  }
}

function* inBinary(value: Buffer): Generator<DriverPosition> {
  const { count, baseMs, words, longIds } = readPositionRecord(value);
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

/** The first version of a record. */
const inJson = (value: Buffer): DriverPosition[] =>
  positionsRecord
    .parse(JSON.parse(value.toString('utf8')))
    .positions.map(([driverId, lat, lng, sequence, atMs]) => ({ driverId, lat, lng, sequence, atMs }));
