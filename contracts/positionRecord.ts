import { carsServing } from '../domain/dispatch';
import { products, type Product, type Vehicle } from '../domain/fare';
import { DEGREE } from '../domain/geo';
import { personsId } from '../domain/names';
import { isDriverKey, isKeyElsewhere, KEY_WORDS, writeDriverKey } from './driverKey';

/**
 * The binary form of a record of `driver-positions`, version 2. All numbers are little-endian.
 *
 *     bytes 0–1   "HP"
 *     byte  2     version: 2
 *     byte  3     0
 *     bytes 4–7   n, the number of positions: 1 to 20,000
 *     bytes 8–15  the base time, whole milliseconds since 1970, below 2^53
 *     n rows of 36 bytes:
 *       0–15      the driver's id (driverKey.ts)
 *       16–19     latitude, signed, in 1e-7 degrees: −900,000,000 to 900,000,000
 *       20–23     longitude, signed, in 1e-7 degrees: −1,800,000,000 to 1,800,000,000
 *       24–27     the sequence's low 32 bits
 *       28–31     bits 0–20 the sequence's high bits, 21–23 zero, 24–31 what the driver takes (`Takes`)
 *       32–35     how long before the base time the driver was there, unsigned, in milliseconds
 *     for each row whose id stands elsewhere, in their order: a byte with its length (16 to 64), and the id in ASCII
 *
 * A position costs 36 bytes; as a fleet's JSON (api/positions.ts) some 115 where the id is as short as `driver-007`, some 140
 * where it is a UUID. 1e-7 degrees are at most 11 mm. A reader needs no text, no floating point and, where the record lies at
 * a multiple of four bytes, no copy.
 */
export const POSITION_RECORD_VERSION = 2;
export const MAX_POSITIONS = 20_000;
export const HEADER_WORDS = 4;
export const ROW_WORDS = 9;
/** Places in a row, in words. */
export const row = { key: 0, lat: 4, lng: 5, sequenceLow: 6, sequenceHighAndTakes: 7, ageMs: 8 } as const;

export const MAX_LAT = 90 * DEGREE;
export const MAX_LNG = 180 * DEGREE;
/** What of word `sequenceHighAndTakes` is the sequence's. */
export const SEQUENCE_HIGH = 0x1f_ffff;
const mustBeZero = 0xe0_0000;
/** The first word of a record: "HP", the version, 0. */
export const RECORD_MAGIC = 0x48 | (0x50 << 8) | (POSITION_RECORD_VERSION << 16);
const headerBytes = HEADER_WORDS * 4;
const rowBytes = ROW_WORDS * 4;
const wholeWord = 2 ** 32;

/**
 * What a driver takes, a bit each. Who says nothing takes everything. `free`, being on no ride, is the location service's
 * to know, by the facts of rides: what a record says of it counts nowhere.
 */
export const Takes = {
  standard: 0x01,
  xl: 0x02,
  courier: 0x04,
  free: 0x40,
  available: 0x80,
  everything: 0xff,
} as const;

/** The bit of each product that a car serves, and `available` where its driver is on a shift. */
export const takesOf = ({ vehicle, isOnline }: { vehicle: Vehicle; isOnline: boolean }): number =>
  products
    .filter((product) => carsServing(product).includes(vehicle))
    .reduce((bits, product) => bits | Takes[product], isOnline ? Takes.available : 0);

/** What a ride for this product asks of a driver. */
export const takesFor = (product: Product): number => Takes.available | Takes[product];

/** The same of a driver who is on no ride. */
export const takesForFree = (product: Product): number => takesFor(product) | Takes.free;

/** Where a driver was. */
export interface DriverPosition {
  readonly driverId: string;
  readonly lat: number;
  readonly lng: number;
  /** Rises with every position of the driver; the newest wins. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Of `Takes`; everything, unless told. */
  readonly takes?: number;
}

export type PositionFault =
  'not_a_record' | 'unknown_version' | 'length' | 'count' | 'time' | 'driver' | 'lat' | 'lng' | 'sequence';

/** A record that is not what it should be. */
export class PositionRecordError extends Error {
  override readonly name = 'PositionRecordError';

  constructor(
    readonly code: PositionFault,
    /** The first position that is wrong, counted from 0; null where it is the record as a whole. */
    readonly index: number | null,
  ) {
    super(index === null ? `position record: ${code}` : `position record: ${code} of position ${index}`);
  }
}

/** Positions as they lie in a record. */
export interface PositionRows {
  readonly count: number;
  readonly baseMs: number;
  /** Row i begins at `HEADER_WORDS + i * ROW_WORDS`. */
  readonly words: Int32Array;
  /** The ids that stand elsewhere, in the order of their rows. */
  readonly longIds: readonly string[];
}

/** Whether these bytes begin as records of this form do, of whatever version: JSON does not. */
export const isBinaryRecord = (bytes: Uint8Array): boolean => bytes[0] === 0x48 && bytes[1] === 0x50;

/**
 * Reads the rows of a record and checks each. It keeps no copy where the bytes lie at a multiple of four.
 * @throws PositionRecordError and nothing else, for whatever bytes
 */
export function readPositionRecord(bytes: Uint8Array): PositionRows {
  const rows = readPositionRows(bytes);
  const bad = badRowFrom(rows, 0);
  if (bad !== null) throw bad;
  return rows;
}

/**
 * The same, the rows unchecked: for whoever wants to know of each bad one (`badRowFrom`).
 * @throws PositionRecordError whose index is null, or of an id that stands elsewhere and is none
 */
export function readPositionRows(bytes: Uint8Array): PositionRows {
  if (bytes.length < headerBytes || !isBinaryRecord(bytes))
    throw new PositionRecordError('not_a_record', null);
  if (bytes[2] !== POSITION_RECORD_VERSION || bytes[3] !== 0)
    throw new PositionRecordError('unknown_version', null);
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const count = header.getUint32(4, true);
  if (count < 1 || count > MAX_POSITIONS) throw new PositionRecordError('count', null);
  const baseMs = header.getUint32(8, true) + header.getUint32(12, true) * wholeWord;
  if (!Number.isSafeInteger(baseMs)) throw new PositionRecordError('time', null);
  const rowsEnd = headerBytes + count * rowBytes;
  if (bytes.length < rowsEnd) throw new PositionRecordError('length', null);
  const words = wordsOf(bytes, rowsEnd);
  return {
    count,
    baseMs,
    words,
    longIds: bytes.length === rowsEnd ? none : readLongIds(bytes, rowsEnd, words),
  };
}

const none: readonly string[] = [];

function wordsOf(bytes: Uint8Array, end: number): Int32Array {
  if (bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, end / 4);
  const words = new Int32Array(end / 4);
  new Uint8Array(words.buffer).set(bytes.subarray(0, end));
  return words;
}

function readLongIds(bytes: Uint8Array, from: number, words: Int32Array): string[] {
  const ids: string[] = [];
  let at = from;
  for (let start = HEADER_WORDS; start < words.length; start += ROW_WORDS) {
    if (!isKeyElsewhere(words, start)) continue;
    const length = bytes[at] ?? 0;
    const index = (start - HEADER_WORDS) / ROW_WORDS;
    if (at + 1 + length > bytes.length) throw new PositionRecordError('length', index);
    const id = String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length));
    if (!personsId.test(id) || writeDriverKey(id, new Int32Array(KEY_WORDS), 0))
      throw new PositionRecordError('driver', index);
    ids.push(id);
    at += 1 + length;
  }
  if (at !== bytes.length) throw new PositionRecordError('length', null);
  return ids;
}

/** What is wrong with the first bad row at `first` or behind it; null where none is. */
export function badRowFrom(
  { words, count, baseMs, longIds }: PositionRows,
  first: number,
): PositionRecordError | null {
  const namesSome = longIds.length > 0;
  for (let index = first, at = HEADER_WORDS + first * ROW_WORDS; index < count; index++, at += ROW_WORDS) {
    const version = (words[at + 1]! >>> 20) & 0xf;
    const isUuid = version >= 1 && version <= 8 && (words[at + 2]! & 0xc0) === 0x80;
    if (!isUuid && (!isDriverKey(words, at) || (!namesSome && isKeyElsewhere(words, at))))
      return new PositionRecordError('driver', index);
    const lat = words[at + row.lat]!;
    if (lat > MAX_LAT || lat < -MAX_LAT) return new PositionRecordError('lat', index);
    const lng = words[at + row.lng]!;
    if (lng > MAX_LNG || lng < -MAX_LNG) return new PositionRecordError('lng', index);
    if ((words[at + row.sequenceHighAndTakes]! & mustBeZero) !== 0)
      return new PositionRecordError('sequence', index);
    if (words[at + row.ageMs]! >>> 0 > baseMs) return new PositionRecordError('time', index);
  }
  return null;
}

/** The sequence of a row. */
export const sequenceOf = (words: Int32Array, at: number): number =>
  (words[at + row.sequenceLow]! >>> 0) + (words[at + row.sequenceHighAndTakes]! & SEQUENCE_HIGH) * wholeWord;
