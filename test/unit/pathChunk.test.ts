import fc from 'fast-check';
import { decodePath, encodePath, PathChunkError, type PathPoint } from '../../contracts/pathChunk';

/** A ride's way in bytes: what is written is read, and whatever else is read is refused. */

const point = fc.record({
  atMs: fc
    .oneof(fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 }), fc.maxSafeNat())
    .map((ms) => Math.min(ms, 8_640_000_000_000_000)),
  lat: fc.integer({ min: -90_000_000, max: 90_000_000 }),
  lng: fc.integer({ min: -180_000_000, max: 180_000_000 }),
});
const byTime = (points: readonly PathPoint[]) => [...points].sort((a, b) => a.atMs - b.atMs);

test('points come back in the order of their times, to the last digit', () => {
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 50 }), (points) => {
      expect(decodePath(encodePath(points))).toEqual(byTime(points));
    }),
    { numRuns: 1_000 },
  );
});

test('a minute of driving, a point each four seconds, takes six bytes a point', () => {
  const points = Array.from({ length: 15 }, (_, n) => ({
    atMs: 1_795_366_800_000 + n * 4_000 + (n % 3),
    lat: 40_748_400 + n * 390,
    lng: -73_985_700 - n * 270,
  }));
  const bytes = encodePath(points).length;
  expect((bytes - encodePath(points.slice(0, 1)).length) / 14).toBeLessThanOrEqual(6);
});

test('what is no point, or too many, is not written', () => {
  const here = { atMs: 0, lat: 0, lng: 0 };
  for (const wrong of [
    [],
    [{ ...here, lat: 90_000_001 }],
    [{ ...here, lng: -180_000_001 }],
    [{ ...here, atMs: -1 }],
    [{ ...here, atMs: 0.5 }],
    [{ ...here, lat: Number.NaN }],
    Array.from({ length: 100_001 }, () => here),
  ])
    expect(() => encodePath(wrong)).toThrow(RangeError);
});

/** Either it reads, and then as one writes it, or it is refused. */
function mustBeSound(bytes: Uint8Array): void {
  let points: PathPoint[];
  try {
    points = decodePath(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(PathChunkError);
    return;
  }
  expect(Buffer.from(encodePath(points)).equals(bytes)).toBe(true);
}

test('whatever bytes are given: they are refused, or are what would be written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      mustBeSound(bytes);
      if (bytes.length > 0) mustBeSound(Uint8Array.of(1, ...bytes));
    }),
    { numRuns: 20_000 },
  );
});

test('a chunk with bytes changed, cut off or added: the same', () => {
  const mutation = fc.tuple(fc.constantFrom('set', 'cut', 'add'), fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.array(point, { minLength: 1, maxLength: 12 }),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (points, mutations) => {
        let bytes = [...encodePath(points)];
        for (const [how, where, value] of mutations) {
          const at = where % (bytes.length + 1);
          if (how === 'set') bytes[at] = value;
          else if (how === 'cut') bytes = bytes.slice(0, at);
          else bytes.splice(at, 0, value);
        }
        mustBeSound(Uint8Array.from(bytes));
      },
    ),
    { numRuns: 20_000 },
  );
});
