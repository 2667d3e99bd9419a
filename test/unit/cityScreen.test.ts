import { createRecord } from '../../tools/city/people/record';
import { boardLine, boardTable, quantileOf, type BoardState } from '../../tools/city/screen/board';

const state = (changes: Partial<BoardState> = {}): BoardState => ({
  cityTime: Date.UTC(2014, 3, 2, 7, 34, 10),
  speed: 30,
  wanted: 200,
  rides: new Map([
    ['matching', 2],
    ['assigned', 0],
    ['completed', 3],
  ]),
  drivers: { total: 160, driving: 12 },
  factsPerSecond: 27.4,
  lag: { audit: 2, location: 1 },
  requestMs: [10, 20, 30, 400],
  retries: 0,
  ...changes,
});

it('a line says how the city goes', () => {
  expect(boardLine(state())).toBe(
    'city 07:34:10 (x30) | rides 5 of 200: 2 matching, 3 completed | drivers 12/160 | facts/s 27 | lag 3' +
      ' | request p50 30 ms p99 400 ms',
  );
  const early = state({ rides: new Map(), wanted: null, factsPerSecond: null, requestMs: [], retries: 4 });
  expect(boardLine(early)).toContain('rides 0: none yet | drivers 12/160 | facts/s - ');
  expect(boardLine(early)).toContain('request p50 - p99 - | retries 4');
});

it('the table has every state of a ride', () => {
  const table = boardTable(state()).join('\n');
  for (const text of [
    '07:34:10',
    '5 of 200',
    'matching 2',
    'declined 0',
    '12 on a ride, 160 online',
    'audit 2',
  ]) {
    expect(table).toContain(text);
  }
});

it('a quantile is a value of the list', () => {
  expect(quantileOf([3, 1, 2], 0.5)).toBe(2);
  expect(quantileOf([3, 1, 2], 1)).toBe(3);
  expect(quantileOf([], 0.5)).toBeNull();
});

describe('the record', () => {
  it('counts each ride in the state that its rider saw last', () => {
    const record = createRecord({ keep: true });
    record.saw('a', 'requested');
    record.saw('b', 'requested');
    record.saw('a', 'matching');
    record.saw('a', 'cancelled');
    expect(Object.fromEntries(record.ridesByStatus)).toEqual({ requested: 1, matching: 0, cancelled: 1 });
  });

  it('remembers what it was told for a verdict, and nothing without one', () => {
    const tip = { rideId: 'a', tipMinor: 1 };
    for (const keep of [true, false]) {
      const record = createRecord({ keep });
      record.memories.tips.push(tip);
      expect([...record.memories.tips]).toEqual(keep ? [tip] : []);
    }
  });

  it('groups what surprises, whatever the ids', () => {
    const record = createRecord({ keep: true });
    record.surprised(new Error('POST /v1/rides/0198a000-0000-7000-8000-000000000001/tip: 409 x'));
    record.surprised(new Error('POST /v1/rides/0198a000-0000-7000-8000-000000000002/tip: 409 x'));
    expect([...record.surprises]).toEqual([['POST /v1/rides/:id/tip: 409 x', 2]]);
  });
});
