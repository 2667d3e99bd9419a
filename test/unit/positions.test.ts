import { positionsRecord, type PackedPosition } from '../../contracts/positions';
import type { OutgoingRecord } from '../../platform/kafka';
import { createPositionBuffer, pack, regionOf } from '../../services/gateway/positions';

const inNewYork = (driverId: string, sequence: number): PackedPosition => [
  driverId,
  40.73,
  -73.99,
  sequence,
  1_767_268_800_000,
];
const inTokyo: PackedPosition = ['driver-t', 35.68, 139.76, 1, 1_767_268_800_000];
const sequences = ({ value }: OutgoingRecord): number[] =>
  positionsRecord.parse(JSON.parse(String(value))).positions.map(([, , , sequence]) => sequence);

describe('positions on their way to Kafka', () => {
  test('go by region, in the order in which they came, so many to a record', () => {
    const records = pack([inNewYork('a', 1), inTokyo, inNewYork('a', 2), inNewYork('b', 3)], 'p', 2);
    expect(records.map(({ topic, key }) => [topic, key])).toEqual([
      ['p', regionOf(40.73, -73.99)],
      ['p', regionOf(40.73, -73.99)],
      ['p', regionOf(35.68, 139.76)],
    ]);
    expect(records.map(sequences)).toEqual([[1, 2], [3], [1]]);
  });

  test('are refused when too many wait, dropped when Kafka does not take them, and sent on again after', async () => {
    const sent: OutgoingRecord[][] = [];
    const dropped: unknown[] = [];
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
      capacity: 3,
      flushEveryMs: 5,
      log: { warn: (details: unknown) => void dropped.push(details) },
    });
    const stopping = new AbortController();
    expect(buffer.offer([inNewYork('a', 1), inNewYork('a', 2)])).toBe(true);
    expect(buffer.offer([inNewYork('a', 3), inNewYork('a', 4)])).toBe(false);
    const running = buffer.run(stopping.signal);
    while (dropped.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(dropped).toMatchObject([{ positions: 2 }]);

    away = false;
    expect(buffer.offer([inNewYork('a', 5)])).toBe(true);
    // What is still waiting at the stop is sent before it is over.
    stopping.abort();
    await running;
    expect(sent.flat().map(sequences)).toEqual([[5]]);
  });
});
