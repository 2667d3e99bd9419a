import {
  HEADER_WORDS,
  readPositionRecord,
  ROW_WORDS,
  sequenceOf,
  type DriverPosition,
} from '../../contracts/positionRecord';
import { createRegions, keyOfRegion } from '../../domain/regions';
import type { OutgoingRecord } from '../../platform/kafka';
import { eventually } from '../support/backbone';
import { createPositionBuffer, pack } from '../../services/gateway/positions';

const atMs = 1_767_268_800_000;
const newYork = { lat: 40.73, lng: -73.99 };
const tokyo = { lat: 35.68, lng: 139.76 };
const regions = createRegions(100_000);
const inNewYork = (driverId: string, sequence: number): DriverPosition => ({
  ...{ driverId, ...newYork, sequence, atMs },
});
const inTokyo: DriverPosition = { driverId: 'driver-t', ...tokyo, sequence: 1, atMs };
const keyOf = (at: { lat: number; lng: number }): string => keyOfRegion(regions.touching(at, 0)[0]!);
const sequences = ({ value }: OutgoingRecord): number[] => {
  const rows = readPositionRecord(value as Buffer);
  return Array.from({ length: rows.count }, (_, n) => sequenceOf(rows.words, HEADER_WORDS + n * ROW_WORDS));
};

describe('positions on their way to Kafka', () => {
  test('go by region, in the order in which they came, so many to a record', () => {
    const positions = [inNewYork('a', 1), inTokyo, inNewYork('a', 2), inNewYork('b', 3)];
    const records = pack(positions, { topic: 'p', perRecord: 2, regions }, atMs);
    expect(records.map(({ topic, key }) => [topic, key])).toEqual([
      ['p', keyOf(newYork)],
      ['p', keyOf(newYork)],
      ['p', keyOf(tokyo)],
    ]);
    expect(records.map(sequences)).toEqual([[1, 2], [3], [1]]);
  });

  test('go to another region as well where its rim is near', () => {
    const row = Math.floor(((40.73 + 90) / 180) * 200);
    const rim = { lat: ((row + 1) / 200) * 180 - 90, lng: -73.99 };
    const near = (meters: number) => ({ ...inNewYork('a', 1), lat: rim.lat - meters / 111_195 });
    const keysOf = (position: DriverPosition): unknown[] =>
      pack([position], { topic: 'p', perRecord: 2, regions }, atMs).map(({ key }) => key);
    expect(keysOf(near(1_100))).toEqual([keyOf(near(1_100))]);
    expect(keysOf(near(900))).toEqual([keyOf(near(900)), keyOf({ ...rim, lat: rim.lat + 0.001 })]);
  });

  test('are refused when too many wait, and while Kafka takes none; none that was taken is lost', async () => {
    const sent: OutgoingRecord[][] = [];
    const notSent: unknown[] = [];
    let away = true;
    const buffer = createPositionBuffer({
      producer: {
        send: (records) => {
          if (away) return Promise.reject(new Error('away'));
          sent.push([...records]);
          return Promise.resolve();
        },
      },
      topic: 'p',
      regions,
      capacity: 3,
      flushEveryMs: 5,
      log: { warn: (details: unknown) => void notSent.push(details) },
    });
    const stopping = new AbortController();
    expect(buffer.offer([inNewYork('a', 1), inNewYork('a', 2)])).toBe(true);
    expect(buffer.offer([inNewYork('a', 3), inNewYork('a', 4)])).toBe(false);
    expect(buffer.isFull()).toBe(false);
    const running = buffer.run(stopping.signal);
    await eventually(
      () => notSent.length,
      (tries) => tries > 1,
    );
    expect(notSent[1]).toMatchObject({ positions: 2 });
    // There is room, but nothing that would take it.
    expect(buffer.isFull()).toBe(true);
    expect(buffer.offer([inNewYork('a', 3)])).toBe(false);

    away = false;
    await eventually(
      () => buffer.offer([inNewYork('a', 5)]),
      (isTaken) => isTaken,
    );
    // What is still waiting at the stop is sent before it is over.
    stopping.abort();
    await running;
    expect(sent.flat().flatMap(sequences)).toEqual([1, 2, 5]);
  });
});
