import { DEGREE } from '../domain/geo';
import { driverIdOfKey, isKeyElsewhere } from './driverKey';
import {
  HEADER_WORDS,
  isBinaryRecord,
  readPositionRecord,
  row,
  ROW_WORDS,
  sequenceOf,
  type DriverPosition,
  type PositionRows,
} from './positionRecord';
import { positionsRecord } from './positions';
import { PositionWriter } from './positionWriter';

/** The rows of a record of `driver-positions`, of whatever version; null for what is none. */
export function readPositions(value: Buffer | null, sentMs: number): PositionRows | null {
  if (value === null) return null;
  try {
    return readPositionRecord(isBinaryRecord(value) ? value : fromJson(value, sentMs));
  } catch {
    return null;
  }
}

/** Version 1, which gateways wrote before there was a binary form: some may lie in the log yet. */
function fromJson(value: Buffer, sentMs: number): Uint8Array {
  const writer = new PositionWriter(sentMs);
  const { positions } = positionsRecord.parse(JSON.parse(value.toString('utf8')));
  for (const [driverId, lat, lng, sequence, atMs] of positions)
    writer.add({ driverId, lat, lng, sequence, atMs });
  return writer.finish();
}

/** A record's positions one by one, for who is in no hurry. */
export function* positionsOf({ count, baseMs, words, longIds }: PositionRows): Generator<DriverPosition> {
  let long = 0;
  for (let n = 0; n < count; n++) {
    const at = HEADER_WORDS + n * ROW_WORDS;
    yield {
      driverId: isKeyElsewhere(words, at) ? longIds[long++]! : driverIdOfKey(words, at),
      lat: words[at + row.lat]! / DEGREE,
      lng: words[at + row.lng]! / DEGREE,
      sequence: sequenceOf(words, at),
      atMs: baseMs - (words[at + row.ageMs]! >>> 0),
      takes: words[at + row.sequenceHighAndTakes]! >>> 24,
    };
  }
}
