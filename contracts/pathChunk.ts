/**
 * A piece of the way of a ride's driver, version 1: points in the order of their times, each as what it differs by from
 * the one before it (the first from 0/0 in 1970).
 *
 *     byte 0    version: 1
 *     varint    n, the number of points: 1 to 100,000
 *     n times   varint: milliseconds since the point before
 *               varint: latitude less the one before, in 1e-6 degrees, zigzag
 *               varint: longitude, the same
 *
 * A varint has seven bits a byte, the lowest first, and the high bit where another byte follows: eight bytes at most, and no
 * more than it needs. Zigzag makes 0, −1, 1, −2 … of 0, 1, 2, 3 …. A point a few seconds from the last takes six bytes or
 * so; 1e-6 degrees are 11 cm at most.
 */
export const PATH_CHUNK_VERSION = 1;
export const MOST_POINTS = 100_000;

/** Units of a degree in a chunk. */
export const PATH_DEGREE = 1e6;

/** Where a driver was, in whole 1e-6 degrees, and when, in whole milliseconds since 1970. */
export interface PathPoint {
  readonly atMs: number;
  readonly lat: number;
  readonly lng: number;
}

/** Bytes that are no chunk. */
export class PathChunkError extends Error {
  override readonly name = 'PathChunkError';
}

/** The last moment of a Date. */
const lastMs = 8_640_000_000_000_000;
const [mostLat, mostLng] = [90 * PATH_DEGREE, 180 * PATH_DEGREE];
/** Of eight groups of seven bits only what a number holds exactly is used. */
const mostVarintBytes = 8;

/** Points, one at least, in whatever order. @throws RangeError for more than a chunk has, or what is no place or time */
export function encodePath(points: readonly PathPoint[]): Uint8Array {
  if (points.length < 1 || points.length > MOST_POINTS) throw new RangeError(`${points.length} points`);
  const bytes: number[] = [PATH_CHUNK_VERSION];
  pushVarint(bytes, points.length);
  let before: PathPoint = { atMs: 0, lat: 0, lng: 0 };
  for (const point of [...points].sort((a, b) => a.atMs - b.atMs)) {
    if (!isPoint(point)) throw new RangeError(`no point: ${JSON.stringify(point)}`);
    pushVarint(bytes, point.atMs - before.atMs);
    pushVarint(bytes, zigzag(point.lat - before.lat));
    pushVarint(bytes, zigzag(point.lng - before.lng));
    before = point;
  }
  return Uint8Array.from(bytes);
}

/** The points of a chunk in the order of their times. @throws PathChunkError and nothing else, for whatever bytes */
export function decodePath(bytes: Uint8Array): PathPoint[] {
  if (bytes[0] !== PATH_CHUNK_VERSION) throw new PathChunkError(`version ${bytes[0]}`);
  const reader = new VarintReader(bytes, 1);
  const count = reader.next();
  // Three bytes a point at least: what is announced is not believed.
  if (count < 1 || count > MOST_POINTS || count * 3 > bytes.length)
    throw new PathChunkError(`${count} points`);
  const points: PathPoint[] = [];
  let before: PathPoint = { atMs: 0, lat: 0, lng: 0 };
  for (let n = 0; n < count; n++) {
    const point = {
      atMs: before.atMs + reader.next(),
      lat: before.lat + unzigzag(reader.next()),
      lng: before.lng + unzigzag(reader.next()),
    };
    if (!isPoint(point)) throw new PathChunkError(`point ${n} is no point`);
    points.push(point);
    before = point;
  }
  if (!reader.isAtEnd) throw new PathChunkError('there is more behind the last point');
  return points;
}

const isPoint = ({ atMs, lat, lng }: PathPoint): boolean =>
  [atMs, lat, lng].every(Number.isSafeInteger) &&
  atMs >= 0 &&
  atMs <= lastMs &&
  Math.abs(lat) <= mostLat &&
  Math.abs(lng) <= mostLng;

const zigzag = (n: number): number => (n < 0 ? -2 * n - 1 : 2 * n);
const unzigzag = (n: number): number => (n % 2 === 0 ? n / 2 : -(n + 1) / 2);

function pushVarint(bytes: number[], n: number): void {
  let rest = n;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

class VarintReader {
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** @throws PathChunkError where the bytes end before it, or it is longer than it needs to be or a number holds */
  next(): number {
    let n = 0;
    let unit = 1;
    for (let length = 1; length <= mostVarintBytes; length++, unit *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new PathChunkError('it ends too early');
      n += (byte % 128) * unit;
      if (byte >= 128) continue;
      if ((byte === 0 && length > 1) || !Number.isSafeInteger(n)) break;
      return n;
    }
    throw new PathChunkError('no number');
  }
}
