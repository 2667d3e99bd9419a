import { z } from 'zod';
import { MOST_AHEAD_MS, type BadPosition } from '../../../contracts/api/positions';
import type { DriverPosition } from '../../../contracts/positionRecord';
import { personsId } from '../../../domain/names';
import { isSwapped } from '../../../domain/newYork';
import { CodedError } from '../../../platform/errors';

/** What a request has of positions: the good ones in their order, and what is wrong with the others. */
export interface ReadPositions {
  readonly good: readonly DriverPosition[];
  readonly bad: readonly BadPosition[];
  /** Which position of the request `good[n]` was. */
  readonly indexes: readonly number[];
}

/** Sequences within one request: a driver's may stay, as something sent twice does, and not go back. */
export class SequencesSoFar {
  private readonly last = new Map<string, number>();

  /** Whether this is no step back, and then the driver's last. */
  take(driverId: string, sequence: number): boolean {
    const before = this.last.get(driverId);
    if (before !== undefined && sequence < before) return false;
    this.last.set(driverId, sequence);
    return true;
  }
}

/** What is wrong with a position: the name of its field, empty for the whole, and why. */
type Fault = readonly [field: string, detail: string];

export const badAt = (index: number, [field, detail]: Fault): BadPosition => ({
  ...{ in: 'body', index, detail },
  pointer: `/positions/${index}${field === '' ? '' : `/${field}`}`,
});

const wholeBody = (pointer: string, detail: string): CodedError =>
  new CodedError('validation_failed', `body${pointer}: ${detail}`, {
    errors: [{ in: 'body', pointer, detail }],
  });

export const inTheFuture = 'in the future';
export const swapped = 'swapped with the longitude: the other way round it is in New York';
export const goesBack = 'lower than an earlier one of this driver in this request';

/** Whose positions they are, null where each says it (a fleet's); how many there may be; the time now, of our clock. */
export interface ReadingOptions {
  readonly driverId: string | null;
  readonly most: number;
  readonly nowMs: number;
}

/**
 * Reads a body as contracts/api/positions.ts describes it: by hand, as each request of the busiest route goes through
 * here, and position by position, so that the good ones can be taken. A test holds it to the schema.
 * @throws CodedError `malformed_json`, `validation_failed` where there is nothing to be read position by position
 */
export const readJsonPositions = (body: Buffer, options: ReadingOptions): ReadPositions =>
  readPositions(parse(body), options);

/** The same of what was JSON. */
export function readPositions(body: unknown, { driverId, most, nowMs }: ReadingOptions): ReadPositions {
  const items = itemsOf(body, most);
  const good: DriverPosition[] = [];
  const indexes: number[] = [];
  const bad: BadPosition[] = [];
  const sequences = new SequencesSoFar();
  for (let index = 0; index < items.length; index++) {
    const read = readItem(items[index], driverId, nowMs);
    if (isFault(read)) bad.push(badAt(index, read));
    else if (!sequences.take(read.driverId, read.sequence)) bad.push(badAt(index, ['sequence', goesBack]));
    else {
      good.push(read);
      indexes.push(index);
    }
  }
  return { good, bad, indexes };
}

const isFault = (read: DriverPosition | Fault): read is Fault => Array.isArray(read);

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new CodedError('malformed_json', 'the body is not JSON', {}, { cause: error });
  }
}

function itemsOf(body: unknown, most: number): readonly unknown[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wholeBody('', 'an object is wanted');
  for (const name of Object.keys(body))
    if (name !== 'positions') throw wholeBody(`/${name}`, 'unknown field');
  const { positions } = body as { positions?: unknown };
  if (!Array.isArray(positions)) throw wholeBody('/positions', 'a list is wanted');
  if (positions.length < 1 || positions.length > most)
    throw wholeBody('/positions', `1 to ${most} positions`);
  return positions;
}

const fields: ReadonlySet<string> = new Set(['lat', 'lng', 'sequence', 'at']);
/** As contracts/shared.ts has times. */
const instant = z.regexes.datetime({});

function readItem(item: unknown, own: string | null, nowMs: number): DriverPosition | Fault {
  if (typeof item !== 'object' || item === null) return ['', 'an object is wanted'];
  for (const name in item)
    if (!fields.has(name) && !(own === null && name === 'driverId')) return [name, 'unknown field'];
  const { lat, lng, sequence, at, driverId = own } = item as Record<string, unknown>;
  // Their own was looked at with the token.
  if (typeof driverId !== 'string' || (driverId !== own && !personsId.test(driverId)))
    return ['driverId', 'letters, digits, _ and -, at most 64'];
  if (typeof lat !== 'number' || !(lat >= -90 && lat <= 90)) return ['lat', 'a number from -90 to 90'];
  if (typeof lng !== 'number' || !(lng >= -180 && lng <= 180)) return ['lng', 'a number from -180 to 180'];
  if (isSwapped({ lat, lng })) return ['lat', swapped];
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 0)
    return ['sequence', 'a whole number, 0 or more'];
  if (typeof at !== 'string' || !instant.test(at)) return ['at', 'an ISO 8601 time in UTC'];
  const atMs = Date.parse(at);
  if (atMs > nowMs + MOST_AHEAD_MS) return ['at', inTheFuture];
  // Nobody was anywhere before 1970, and the log's records know no such time.
  if (atMs < 0) return ['at', 'before 1970'];
  return { driverId, lat, lng, sequence: sequence as number, atMs };
}
