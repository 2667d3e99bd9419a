import { isBinaryRecord, readPositionRecord, type PositionRows } from './positionRecord';
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
