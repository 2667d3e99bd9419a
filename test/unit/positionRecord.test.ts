import fc from 'fast-check';
import { driverIdOfKey, isDriverKey, isKeyElsewhere, writeDriverKey } from '../../contracts/driverKey';
import {
  badRowFrom,
  PositionRecordError,
  readPositionRecord,
  readPositionRows,
  Takes,
  type DriverPosition,
} from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { positionsOf } from '../../contracts/readPositions';
import { personsId } from '../../domain/names';
import { fuzzRecords } from '../../tools/faults/location/fuzz';

const nowMs = 1_795_366_800_000;
const here: DriverPosition = {
  driverId: 'driver-77',
  lat: 40.7484,
  lng: -73.9857,
  sequence: 12,
  atMs: nowMs,
};

function written(positions: readonly DriverPosition[], baseMs = nowMs): Uint8Array<ArrayBuffer> {
  const writer = new PositionWriter(baseMs);
  for (const position of positions) writer.add(position);
  return writer.finish();
}

const read = (bytes: Uint8Array): DriverPosition[] => [...positionsOf(readPositionRecord(bytes))];

const faultOf = (bytes: Uint8Array): unknown => {
  try {
    readPositionRecord(bytes);
    return null;
  } catch (error) {
    return error instanceof PositionRecordError ? [error.code, error.index] : error;
  }
};

const anyId = fc.oneof(
  fc.stringMatching(personsId),
  fc.uuid({ version: [1, 4, 7] }),
  fc.uuid().map((id) => id.toUpperCase()),
);

test('every id has one key, and comes back from it', () => {
  fc.assert(
    fc.property(anyId, (id) => {
      const words = new Int32Array(5).fill(-1);
      const isIn = writeDriverKey(id, words, 1);
      expect(isDriverKey(words, 1)).toBe(true);
      expect(isKeyElsewhere(words, 1)).toBe(!isIn);
      expect(isIn).toBe(
        id.length <= 15 ||
          /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id),
      );
      if (isIn) expect(driverIdOfKey(words, 1)).toBe(id);
    }),
    { numRuns: 2_000 },
  );
});

test('the form is the one that is written down', () => {
  const bytes = written([
    { ...here, sequence: 2 ** 32 + 5, atMs: nowMs - 258, takes: Takes.available | Takes.xl },
    { ...here, driverId: '01a200c0-97cd-72ad-986e-2cd93ba3703a', lat: -90, lng: 180 },
    { ...here, driverId: 'sixteen-letters-' },
  ]);
  const hex = Buffer.from(bytes).toString('hex');
  expect(hex.slice(0, 32)).toBe(`48500200${'03000000'}${'804a3304a2010000'}`);
  const second = 32 + 72;
  expect(hex.slice(32, second)).toBe(
    // d r i v e r, the form, - 7 7; 407,484,000; −739,857,000
    `647269766572e92d3737000000000000${'60b64918'}${'98ade6d3'}${'05000000'}${'01000082'}${'02010000'}`,
  );
  expect(hex.slice(second, second + 48)).toBe(`01a200c097cd72ad986e2cd93ba3703a${'00175bca'}${'00d2496b'}`);
  expect(hex.slice(-34)).toBe(`10${Buffer.from('sixteen-letters-').toString('hex')}`);
});

test('whatever is written is read, wherever it lies', () => {
  const position = fc.record({
    driverId: anyId,
    lat: fc.integer({ min: -900_000_000, max: 900_000_000 }).map((n) => n / 1e7),
    lng: fc.integer({ min: -1_800_000_000, max: 1_800_000_000 }).map((n) => n / 1e7),
    sequence: fc.maxSafeNat(),
    atMs: fc.integer({ min: nowMs - 2 ** 32 + 1, max: nowMs }),
    takes: fc.nat(255),
  });
  fc.assert(
    fc.property(fc.array(position, { minLength: 1, maxLength: 40 }), fc.nat(3), (positions, offset) => {
      const bytes = written(positions);
      const lying = new Uint8Array(bytes.length + offset);
      lying.set(bytes, offset);
      expect(read(lying.subarray(offset))).toEqual(positions);
    }),
  );
});

test('nobody was anywhere later than the record was made, and what is very old is old', () => {
  const [late, old] = read(
    written([
      { ...here, atMs: nowMs + 60_000 },
      { ...here, atMs: 0 },
    ]),
  );
  expect(late!.atMs).toBe(nowMs);
  expect(old!.atMs).toBe(nowMs - 2 ** 32 + 1);
});

test('rows of one record go into another as they are', () => {
  const positions = [here, { ...here, driverId: 'a-long-name-of-a-driver', atMs: nowMs - 500 }];
  const rows = readPositionRecord(written(positions));
  const writer = new PositionWriter(nowMs + 100);
  writer.addRow(rows, 1, rows.longIds[0]);
  writer.addRow(rows, 0);
  expect(read(writer.finish())).toEqual([positions[1], here].map((each) => ({ ...each, takes: 255 })));
});

describe('a record that is none', () => {
  const good = written([here, { ...here, driverId: 'a-long-name-of-a-driver' }, here]);
  const with_ = (byte: number, ...values: number[]): Uint8Array => {
    const bytes = good.slice();
    bytes.set(values, byte);
    return bytes;
  };
  const inRow = (n: number, word: number): number => 16 + n * 36 + word * 4;
  test.each<[string, Uint8Array, unknown]>([
    ['nothing', new Uint8Array(0), ['not_a_record', null]],
    ['JSON', Buffer.from('{"v":1,"positions":[]}'), ['not_a_record', null]],
    ['a later version', with_(2, 3), ['unknown_version', null]],
    ['no positions', with_(4, 0), ['count', null]],
    ['too many', with_(4, 0xff, 0xff, 0xff, 0xff), ['count', null]],
    ['a base beyond what numbers hold', with_(14, 0xff), ['time', null]],
    ['the rows cut', good.slice(0, 100), ['length', null]],
    ['an id cut', good.slice(0, -1), ['length', 1]],
    ['something behind', new Uint8Array([...good, 0]), ['length', null]],
    ['an id of another length', with_(good.length - 24, 22), ['length', null]],
    [
      'an id that is short enough',
      written([{ ...here, driverId: 'sixteen-letters-' }])
        .slice(0, -1)
        .fill(15, 52, 53),
      ['driver', 0],
    ],
    ['no key', with_(inRow(2, 0) + 6, 0xff), ['driver', 2]],
    ['a key with characters that ids have not', with_(inRow(2, 0), 0x20), ['driver', 2]],
    ['an id elsewhere that is nowhere', good.slice(0, -24), ['driver', 1]],
    ['a latitude', with_(inRow(1, 4), 1, 0xe9, 0xa4, 0x35), ['lat', 1]],
    ['a longitude', with_(inRow(0, 5), 0xff, 0x2d, 0xb6, 0x94), ['lng', 0]],
    ['a sequence', with_(inRow(1, 7) + 2, 0x20), ['sequence', 1]],
    [
      'a time before 1970',
      with_(8, 0, 0, 0, 0, 0, 0, 0, 0).fill(1, inRow(2, 8), inRow(2, 8) + 1),
      ['time', 2],
    ],
  ])('is refused with its place: %s', (_, bytes, fault) => expect(faultOf(bytes)).toEqual(fault));

  test('has its other rows, for whoever wants them', () => {
    const rows = readPositionRows(with_(inRow(0, 4), 1, 0xe9, 0xa4, 0x35));
    expect(badRowFrom(rows, 0)).toMatchObject({ code: 'lat', index: 0 });
    expect(badRowFrom(rows, 1)).toBeNull();
  });
});

test('100,000 mutated records are refused, or are records', () => {
  const seed = Math.floor(Math.random() * 1e9);
  const { wrong, outcomes } = fuzzRecords(seed, 100_000);
  expect(wrong).toEqual([]);
  expect(Object.keys(outcomes)).toEqual(
    expect.arrayContaining(['taken', 'driver', 'lat', 'lng', 'time', 'length']),
  );
});
