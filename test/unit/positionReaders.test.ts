import fc from 'fast-check';
import { fleetPositionsBody, positionsBody } from '../../contracts/api/positions';
import { Takes, type DriverPosition, type PositionRows } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { positionsOf, readPositions } from '../../contracts/readPositions';
import type { Point } from '../../domain/geo';
import { personsId } from '../../domain/names';
import { isSwapped } from '../../domain/newYork';
import { readBinaryPositions } from '../../services/gateway/ingest/readBinary';
import { readJsonPositions } from '../../services/gateway/ingest/readJson';

const nowMs = 1_795_366_800_000;
const lat = fc.integer({ min: -9e8, max: 9e8 }).map((units) => units / 1e7);
const lng = fc.integer({ min: -18e8, max: 18e8 }).map((units) => units / 1e7);
const atMs = fc.integer({ min: nowMs - 1e9, max: nowMs });
const driverId = fc.oneof(fc.stringMatching(personsId), fc.uuid({ version: 7 }));

const odd = fc.oneof(
  fc.constantFrom(
    null,
    '',
    '40.7',
    -90.0000001,
    180.5,
    2 ** 53,
    -1,
    1.5,
    true,
    [],
    {},
    'a b',
    'x'.repeat(65),
  ),
  fc.constantFrom(
    '2026-02-29T00:00:00Z',
    '2024-02-29T00:00:00.123456Z',
    '2026-11-22T11:00Z',
    '0000-01-01T00:00:00Z',
  ),
  fc.constantFrom(
    '2026-11-22T11:00:00+01:00',
    '2026-11-22 11:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-22T24:00:00Z',
  ),
  fc.jsonValue(),
);
const mostly = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });
const item = fc.record(
  {
    ...{ lat: mostly(lat), lng: mostly(lng), driverId: mostly(driverId) },
    sequence: mostly(fc.maxSafeNat()),
    at: mostly(atMs.map((ms) => new Date(ms).toISOString())),
    more: fc.constant(1),
  },
  { requiredKeys: ['lat', 'lng', 'driverId', 'sequence', 'at'] },
);

test('what is read by hand is what the schema says', () => {
  const after1970 = (at: unknown) => Date.parse(String(at)) >= 0 && Date.parse(String(at)) <= nowMs + 30_000;
  fc.assert(
    fc.property(fc.oneof(item, fc.jsonValue()), fc.boolean(), (given, isFleets) => {
      const one = JSON.parse(JSON.stringify(given)) as Record<string, unknown> | null;
      if (!isFleets && one !== null) delete one['driverId'];
      const whose = { driverId: isFleets ? null : 'd1', most: 100, nowMs };
      const { good, bad } = readJsonPositions(Buffer.from(JSON.stringify({ positions: [one] })), whose);
      const { success } = (isFleets ? fleetPositionsBody : positionsBody).safeParse({ positions: [one] });
      const wanted = success && after1970(one?.['at']) && !isSwapped(one as unknown as Point);
      expect(good.length === 1).toBe(wanted);
      expect(bad).toHaveLength(1 - good.length);
    }),
    { numRuns: 3_000 },
  );
});

test('the binary form says what JSON says', () => {
  const position = fc.record({ driverId, lat, lng, sequence: fc.maxSafeNat(), atMs });
  fc.assert(
    fc.property(fc.array(position, { minLength: 1, maxLength: 20 }), (positions) => {
      const writer = new PositionWriter(nowMs);
      for (const each of positions) writer.add(each);
      const inJson = positions.map(({ atMs: ms, ...rest }) => ({ ...rest, at: new Date(ms).toISOString() }));
      const json = readJsonPositions(Buffer.from(JSON.stringify({ positions: inJson })), {
        ...{ driverId: null, most: 100, nowMs },
      });
      const binary = readBinaryPositions(writer.finish(), nowMs);
      const rounded = ({ takes: _, ...each }: DriverPosition) => ({
        ...{ ...each, lat: Math.round(each.lat * 1e7), lng: Math.round(each.lng * 1e7) },
      });
      expect(binary.good.map(rounded)).toEqual(json.good.map(rounded));
      expect(binary.good.every(({ takes }) => takes === Takes.everything)).toBe(true);
      expect(binary.bad.map(({ pointer }) => pointer)).toEqual(json.bad.map(({ pointer }) => pointer));
      expect(binary.indexes).toEqual(json.indexes);
    }),
    { numRuns: 300 },
  );
});

/** As they were told, a row each. */
const toldOf = (rows: PositionRows): unknown[] =>
  [...positionsOf(rows)].map(({ driverId: id, lat, lng, sequence, atMs }) => [id, lat, lng, sequence, atMs]);

const inUnits = (told: unknown): unknown => {
  const [id, lat, lng, ...rest] = told as [string, number, number, number, number];
  return [id, ...[lat, lng].map((degrees) => (Math.round(degrees * 1e7) + 0) / 1e7), ...rest];
};

test('a record of before the binary form is read whole, or not at all', () => {
  const told = fc.tuple(mostly(driverId), mostly(lat), mostly(lng), mostly(fc.maxSafeNat()), mostly(atMs));
  const isFit = ([id, ...numbers]: readonly unknown[]): boolean => {
    const [y, x, sequence, at] = numbers as number[];
    const areWhole = [sequence, at].every((one) => Number.isSafeInteger(one) && one! >= 0);
    const arePlaces =
      [y, x].every((one) => typeof one === 'number') && Math.abs(y!) <= 90 && Math.abs(x!) <= 180;
    return (
      personsId.test(String(id)) && typeof id === 'string' && arePlaces && areWhole && nowMs - at! < 2 ** 32
    );
  };
  fc.assert(
    fc.property(fc.array(fc.oneof(told, fc.jsonValue()), { minLength: 1, maxLength: 5 }), (given) => {
      const value = Buffer.from(JSON.stringify({ v: 1, positions: given }));
      const { positions } = JSON.parse(value.toString()) as { positions: unknown[] };
      const fit = positions.every((one) => Array.isArray(one) && one.length === 5 && isFit(one));
      const rows = readPositions(value, nowMs);
      expect(rows === null ? null : toldOf(rows)).toEqual(fit ? positions.map(inUnits) : null);
    }),
    { numRuns: 3_000 },
  );
});

test('no bytes in the place of such a record end a reader', () => {
  const good = JSON.stringify({ v: 1, positions: [['d1', 40.7, -74, 7, nowMs]] });
  expect(readPositions(Buffer.from(good), nowMs)?.count).toBe(1);
  const changed = fc
    .tuple(fc.nat(good.length), fc.nat(8), fc.uint8Array({ maxLength: 8 }))
    .map(([at, without, more]) =>
      Buffer.concat([Buffer.from(good.slice(0, at)), more, Buffer.from(good.slice(at + without))]),
    );
  fc.assert(
    fc.property(changed, (bytes) => {
      const rows = readPositions(bytes, nowMs);
      if (rows !== null) expect(rows.count).toBeLessThanOrEqual(1);
    }),
    { numRuns: 20_000 },
  );
});
