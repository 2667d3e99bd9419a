import type { Applied } from '../../../consumers/location/intake';
import { PositionIndex } from '../../../consumers/location/positionIndex';
import { driverIdOfKey, isKeyElsewhere } from '../../../contracts/driverKey';
import {
  HEADER_WORDS,
  MAX_POSITIONS,
  PositionRecordError,
  readPositionRecord,
  ROW_WORDS,
  row,
  sequenceOf,
  type DriverPosition,
  type PositionRows,
} from '../../../contracts/positionRecord';
import { PositionWriter } from '../../../contracts/positionWriter';
import { personsId } from '../../../domain/names';
import { CodedError } from '../../../platform/errors';
import { readBinaryPositions } from '../../../services/gateway/ingest/readBinary';
import type { ReadPositions } from '../../../services/gateway/ingest/readJson';

/** Numbers from 0 to below `below`, the same for the same seed (xorshift32). */
export type Random = (below: number) => number;

export function seededRandom(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const baseMs = 1_795_366_800_000;
const ids = [
  '01a200c0-97cd-72ad-986e-2cd93ba3703a',
  'f47ac10b-58cc-4372-a567-0e02b2c3d479',
  'driver-77',
  'd',
  'driver_of_some_fleet-0000000001',
  'F47AC10B-58CC-4372-A567-0E02B2C3D479',
];

/** A record as a gateway would write it, of 1 to 8 positions. */
export function someRecord(random: Random): Uint8Array {
  const writer = new PositionWriter(baseMs);
  for (let left = 1 + random(8); left > 0; left--)
    writer.add({
      driverId: ids[random(ids.length)]!,
      lat: (random(1_800_000_001) - 900_000_000) / 1e7,
      lng: (random(3_600_000_001) - 1_800_000_000) / 1e7,
      sequence: random(2 ** 32 - 1) * 2 ** random(22),
      atMs: baseMs - random(2 ** 31),
      takes: random(256),
    });
  return writer.finish();
}

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const mutations: Readonly<Record<string, Mutation>> = {
  bit: (bytes, random) => changed(bytes, (copy) => (copy[random(copy.length)]! ^= 1 << random(8))),
  byte: (bytes, random) => changed(bytes, (copy) => (copy[random(copy.length)] = random(256))),
  word: (bytes, random) =>
    changed(bytes, (copy) => {
      const at = 4 * random(Math.max(1, copy.length >> 2));
      const extreme = [0, 0xffffffff, 0x7fffffff, 0x80000000, 900_000_001, -1_800_000_001, 20_001][
        random(7)
      ]!;
      for (let n = 0; n < 4 && at + n < copy.length; n++) copy[at + n] = extreme >>> (8 * n);
    }),
  cut: (bytes, random) => bytes.slice(0, random(bytes.length)),
  longer: (bytes, random) =>
    new Uint8Array([...bytes, ...Array.from({ length: 1 + random(64) }, () => random(256))]),
  without: (bytes, random) => {
    const from = random(bytes.length);
    return new Uint8Array([...bytes.subarray(0, from), ...bytes.subarray(from + 1 + random(40))]);
  },
  twice: (bytes, random) => {
    const from = random(bytes.length);
    return new Uint8Array([...bytes.subarray(0, from + random(40)), ...bytes.subarray(from)]);
  },
  noise: (bytes, random) =>
    changed(bytes, (copy) => copy.forEach((_, n) => (copy[n] = n < 3 ? copy[n]! : random(256)))),
};

const mutationNames = Object.keys(mutations);

function changed(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy);
  return copy;
}

/** A record that was changed in one of these ways once or twice: the same for the same seed. */
export function mutatedRecord(seed: number): { mutation: string; bytes: Uint8Array } {
  const random = seededRandom(seed);
  const mutation = mutationNames[random(mutationNames.length)]!;
  let bytes = someRecord(random);
  for (let times = 1 + random(2); times > 0; times--) bytes = mutations[mutation]!(bytes, random);
  return { mutation, bytes };
}

/** What was tried and what came of it. */
export interface Fuzzed {
  readonly inputs: number;
  /** By mutation. */
  readonly tried: Readonly<Record<string, number>>;
  /** Refused, by code; `taken` are those that were records still. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What should not have come: the seed that brings it again, and what it was. */
  readonly wrong: readonly string[];
}

/**
 * Mutates records and reads them: each must be refused with the error that the reader has, or be a record whose every
 * position is valid, that is written again byte for byte, and that an index takes. The fleets' door, which takes what is
 * good of a bad record, must say of each position once what became of it.
 */
export function fuzzRecords(seed: number, inputs: number): Fuzzed {
  const tried: Record<string, number> = {};
  const outcomes: Record<string, number> = {};
  const wrong: string[] = [];
  const index = new PositionIndex({ maxDrivers: 1_000 });
  for (let n = 0; n < inputs; n++) {
    const { mutation, bytes } = mutatedRecord(seed + n);
    tried[mutation] = (tried[mutation] ?? 0) + 1;
    const outcome = outcomeOf(bytes, index);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (outcome.startsWith('wrong')) wrong.push(`seed ${seed + n}, ${mutation}: ${outcome}`);
  }
  return { inputs, tried, outcomes, wrong };
}

function outcomeOf(bytes: Uint8Array, index: PositionIndex): string {
  const from = new Uint8Array(bytes.length + 3);
  from.set(bytes, 3);
  // Where records lie in a fetched batch: anywhere.
  const record = from.subarray(3);
  try {
    const rows = readPositionRecord(record);
    const fault = faultOf(rows, bytes) ?? faultOfDoor(record, rows.count);
    if (fault !== null) return `wrong: ${fault}`;
    const counts: Applied = { applied: 0, outdated: 0, silent: 0, refused: 0 };
    index.apply(rows, { partition: 0, sentMs: baseMs, oldestMs: 0 }, counts);
    const all = counts.applied + counts.outdated + counts.silent + counts.refused;
    return all === rows.count ? 'taken' : 'wrong: the index has lost a position';
  } catch (error) {
    if (!(error instanceof PositionRecordError)) return `wrong: ${String(error)}`;
    if (error.index !== null && !(error.index >= 0)) return 'wrong: no such position';
    const fault = faultOfDoor(record, null);
    return fault === null ? error.code : `wrong: ${fault}`;
  }
}

/** @param count of the record's positions; null where it is none */
function faultOfDoor(body: Uint8Array, count: number | null): string | null {
  let read: ReadPositions;
  try {
    read = readBinaryPositions(body, baseMs);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'validation_failed')
      return `at the door ${String(error)}`;
    return count === null ? null : 'the door refuses a record';
  }
  const { good, bad, indexes } = read;
  const told = [...indexes, ...bad.map(({ index }) => index)];
  if (good.length !== indexes.length || new Set(told).size !== told.length) return 'the door tells one twice';
  if (!told.every((index) => index >= 0 && index < MAX_POSITIONS))
    return 'the door tells of one that is not there';
  if (count === null ? bad.length === 0 : told.length !== count) return 'the door has passed one over';
  const isFit = ({ driverId, lat, lng, sequence, atMs }: DriverPosition): boolean =>
    personsId.test(driverId) &&
    Math.abs(lat) <= 90 &&
    Math.abs(lng) <= 180 &&
    Number.isSafeInteger(sequence) &&
    atMs >= 0;
  return good.every(isFit) ? null : 'the door takes one that is none';
}

/** By other means than the reader's. */
function faultOf(rows: PositionRows, bytes: Uint8Array): string | null {
  const writer = new PositionWriter(rows.baseMs);
  const longIds = [...rows.longIds];
  for (let n = 0; n < rows.count; n++) {
    const at = HEADER_WORDS + n * ROW_WORDS;
    const longId = isKeyElsewhere(rows.words, at) ? longIds.shift() : undefined;
    const id = longId ?? driverIdOfKey(rows.words, at);
    const lat = rows.words[at + row.lat]! / 1e7;
    const lng = rows.words[at + row.lng]! / 1e7;
    const atMs = rows.baseMs - (rows.words[at + row.ageMs]! >>> 0);
    if (!personsId.test(id)) return `id ${id}`;
    if (!(Math.abs(lat) <= 90 && Math.abs(lng) <= 180)) return `place ${lat} ${lng}`;
    if (!Number.isSafeInteger(sequenceOf(rows.words, at))) return 'sequence';
    if (!(atMs >= 0 && atMs <= rows.baseMs)) return 'time';
    const takes = rows.words[at + row.sequenceHighAndTakes]! >>> 24;
    writer.add({ driverId: id, lat, lng, sequence: sequenceOf(rows.words, at), atMs, takes });
  }
  return Buffer.compare(writer.finish(), bytes) === 0 ? null : 'it is written differently';
}
