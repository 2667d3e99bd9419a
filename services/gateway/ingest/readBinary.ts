import { MOST_AHEAD_MS, type BadPosition } from '../../../contracts/api/positions';
import { driverIdOfKey, isKeyElsewhere } from '../../../contracts/driverKey';
import {
  badRowFrom,
  HEADER_WORDS,
  PositionRecordError,
  readPositionRows,
  row,
  ROW_WORDS,
  sequenceOf,
  type DriverPosition,
  type PositionRows,
} from '../../../contracts/positionRecord';
import { DEGREE } from '../../../domain/geo';
import { isSwapped } from '../../../domain/newYork';
import { CodedError } from '../../../platform/errors';
import { badAt, goesBack, inTheFuture, SequencesSoFar, swapped, type ReadPositions } from './readJson';

const headerBytes = HEADER_WORDS * 4;
const rowBytes = ROW_WORDS * 4;

/** What is wrong with a row, by where it would stand in JSON. */
const faults: Partial<Record<PositionRecordError['code'], readonly [string, string]>> = {
  driver: ['driverId', 'no id of a driver, or one that does not stand behind the positions'],
  lat: ['lat', 'from -90 to 90 degrees'],
  lng: ['lng', 'from -180 to 180 degrees'],
  sequence: ['sequence', 'bits that must be zero are not'],
  time: ['at', 'before 1970'],
  length: ['', 'the body ends here'],
};

/**
 * Reads the binary form of positions (contracts/positionRecord.ts), row by row. A batch that was cut short has its whole
 * rows; where ids that stand behind the rows are not whole, none of them counts.
 * @throws CodedError `validation_failed` where there is nothing to be read row by row
 */
export function readBinaryPositions(body: Uint8Array, nowMs: number): ReadPositions {
  const { rows, cut } = rowsOf(body);
  const bad: BadPosition[] = [];
  const good: DriverPosition[] = [];
  const indexes: number[] = [];
  const sequences = new SequencesSoFar();
  let next = badRowFrom(rows, 0);
  let longIds = 0;
  for (let index = 0; index < rows.count; index++) {
    const at = HEADER_WORDS + index * ROW_WORDS;
    const longId = isKeyElsewhere(rows.words, at) ? rows.longIds[longIds++] : undefined;
    if (next?.index === index) {
      bad.push(badAt(index, faults[next.code] ?? ['', next.code]));
      next = badRowFrom(rows, index + 1);
      continue;
    }
    const position = positionAt(rows, at, longId);
    if (isSwapped(position)) bad.push(badAt(index, ['lat', swapped]));
    else if (position.atMs > nowMs + MOST_AHEAD_MS) bad.push(badAt(index, ['at', inTheFuture]));
    else if (!sequences.take(position.driverId, position.sequence))
      bad.push(badAt(index, ['sequence', goesBack]));
    else {
      good.push(position);
      indexes.push(index);
    }
  }
  if (cut !== null && !bad.some(({ index }) => index === cut.index)) {
    bad.push(cut);
    bad.sort((a, b) => a.index - b.index);
  }
  return { good, bad, indexes };
}

/** The rows that are whole, and where the body ends or its ids go wrong. */
function rowsOf(body: Uint8Array): { rows: PositionRows; cut: BadPosition | null } {
  try {
    return { rows: readPositionRows(body), cut: null };
  } catch (error) {
    if (!(error instanceof PositionRecordError)) throw error;
    const whole = Math.floor((body.length - headerBytes) / rowBytes);
    const said =
      body.length < headerBytes ? 0 : new DataView(body.buffer, body.byteOffset).getUint32(4, true);
    const isCut = error.code === 'length' && error.index === null && whole < said;
    if (!isCut && error.index === null) throw notRead(error.code);
    const index = error.index ?? whole;
    const cut = badAt(index, faults[error.code] ?? ['', error.code]);
    const count = Math.min(whole, said);
    return { rows: count === 0 ? noRows : readPositionRows(firstRows(body, count)), cut };
  }
}

const noRows: PositionRows = { count: 0, baseMs: 0, words: new Int32Array(HEADER_WORDS), longIds: [] };

/** A record of the first rows, without what stands behind them. */
function firstRows(body: Uint8Array, count: number): Uint8Array {
  const record = body.slice(0, headerBytes + count * rowBytes);
  new DataView(record.buffer, record.byteOffset).setUint32(4, count, true);
  return record;
}

const notRead = (code: string): CodedError =>
  new CodedError('validation_failed', `the body is no record of positions, version 2: ${code}`, {
    errors: [{ in: 'body', pointer: '', detail: code }],
  });

const positionAt = ({ words, baseMs }: PositionRows, at: number, longId?: string): DriverPosition => ({
  driverId: longId ?? driverIdOfKey(words, at),
  lat: words[at + row.lat]! / DEGREE,
  lng: words[at + row.lng]! / DEGREE,
  sequence: sequenceOf(words, at),
  atMs: baseMs - (words[at + row.ageMs]! >>> 0),
  takes: words[at + row.sequenceHighAndTakes]! >>> 24,
});
