import { PositionIndex } from '../../consumers/location/positionIndex';
import { readPositionRecord, takesOf } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import type { Client } from '../../platform/client';
import type { EventStream } from '../../platform/http';
import { area, GRID, gridOf, isOnMap } from '../../services/console/map/area';
import { MapFeed } from '../../services/console/map/feed';
import { FleetBoard, MAX_DRIVERS, type SeenDriver } from '../../services/console/map/fleetBoard';
import { lagIn } from '../../services/console/map/lagWatch';
import { samplesIn } from '../../services/console/map/metricsText';
import { mapPage } from '../../services/console/map/page';
import { cellsOf, driversIn, mapRides, ringOf } from '../../services/console/map/picture';
import { Viewers } from '../../services/console/map/viewers';

const at = (driverId: string, x: number, isFree = true): SeenDriver => ({ driverId, x, y: 7, isFree });

/** Rows as the page reads them: slot, state, x. */
function rowsOf(base64: string): number[][] {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 6 }, (_, n) => {
    const slotAndState = bytes.readUInt16LE(n * 6);
    return [slotAndState & 0x3fff, slotAndState >>> 14, bytes.readUInt16LE(n * 6 + 2)];
  });
}

describe('the board of drivers', () => {
  test('tells what has changed since a frame, who has gone, and who is there to somebody new', () => {
    const board = new FleetBoard();
    board.take([at('a', 1), at('b', 2)]);
    board.take([at('a', 1), at('b', 3, false)]);
    expect(rowsOf(board.since(1))).toEqual([[1, 2, 3]]);
    board.take([at('b', 3, false)]);
    expect(rowsOf(board.since(1))).toEqual([
      [0, 0, 0],
      [1, 2, 3],
    ]);
    expect(rowsOf(board.since(0))).toEqual([[1, 2, 3]]);
    board.take([at('b', 3, false), at('c', 4)]);
    expect(rowsOf(board.since(3))).toEqual([[0, 1, 4]]);
    expect(board.since(board.frame)).toBe('');
  });

  test('takes in no more than it has slots', () => {
    const board = new FleetBoard();
    board.take(Array.from({ length: MAX_DRIVERS + 5 }, (_, n) => at(`d${n}`, n)));
    expect(board.size).toBe(MAX_DRIVERS);
    expect(board.since(0).length).toBeLessThanOrEqual(100_000);
  });
});

/** A stream whose reader reads when told to. */
function reader() {
  const got: Record<string, unknown>[] = [];
  const stream = { unreadBytes: 0, end: () => {} };
  const eventStream = {
    ...{ lastEventId: undefined, ended: false, close: () => {} },
    get unreadBytes() {
      return stream.unreadBytes;
    },
    onEnd: (listener: () => void) => void (stream.end = listener),
    send: ({ data }) => {
      got.push(data as Record<string, unknown>);
      return true;
    },
  } satisfies EventStream;
  return { got, stream, eventStream };
}

describe('viewers', () => {
  test('get each part once, and one who does not read gets nothing until they do, then all that has changed', () => {
    const board = new FleetBoard();
    const viewers = new Viewers(board);
    const { got, stream, eventStream } = reader();
    viewers.add(eventStream, () => {});
    board.take([at('a', 1)]);
    for (let again = 0; again < 2; again++) {
      viewers.set('pulse', { n: 1 });
      viewers.sendParts();
      viewers.sendFrame();
    }
    expect(got).toEqual([{ pulse: { n: 1 } }, { drivers: { all: true, rows: board.since(0) } }]);
    stream.unreadBytes = 1;
    for (let x = 2; x < 9; x++) {
      board.take([at('a', x), at('b', x)]);
      viewers.set('pulse', { n: x });
      viewers.sendFrame();
      viewers.sendParts();
    }
    expect(got).toHaveLength(2);
    expect(viewers.dropped).toBe(14);
    stream.unreadBytes = 0;
    viewers.sendFrame();
    viewers.sendParts();
    expect(got.slice(2)).toEqual([{ drivers: { all: false, rows: board.since(1) } }, { pulse: { n: 8 } }]);
  });

  test('get the drivers in each frame, whatever else is new', () => {
    const board = new FleetBoard();
    const viewers = new Viewers(board);
    const { got, eventStream } = reader();
    viewers.add(eventStream, () => {});
    for (let frame = 1; frame < 3; frame++) {
      board.take(Array.from({ length: MAX_DRIVERS }, (_, n) => at(`d${n}`, n + frame)));
      viewers.set('cells', String(frame).repeat(90_000));
      viewers.sendFrame();
      viewers.sendParts();
    }
    expect(got.map((event) => Object.keys(event).join())).toEqual(['drivers', 'cells', 'drivers', 'cells']);
  });

  test('get what is too much for one event in two, and a part that is too much for any by itself', () => {
    const viewers = new Viewers(new FleetBoard());
    const { got, eventStream } = reader();
    viewers.add(eventStream, () => {});
    viewers.set('pulse', 1);
    viewers.set('cells', 'x'.repeat(60_000));
    viewers.set('rides', 'x'.repeat(200_000));
    for (let times = 0; times < 3; times++) viewers.sendParts();
    expect(got.map((event) => Object.keys(event))).toEqual([['pulse', 'cells'], ['rides']]);
  });

  test('who has gone is forgotten', () => {
    const viewers = new Viewers(new FleetBoard());
    const { stream, eventStream } = reader();
    let left = 0;
    viewers.add(eventStream, () => (left += 1));
    stream.end();
    expect([viewers.size, left]).toEqual([0, 1]);
  });
});

/** The first six calls of a feed that somebody watches and that gets no answer. */
async function firstCalls() {
  const calls: { path: string; query: unknown; signal: unknown }[] = [];
  let asked = (): void => {};
  const allAsked = new Promise<void>((resolve) => (asked = resolve));
  const client: Client = {
    call: (_method, path, { query, signal }) => {
      if (calls.push({ path, query, signal }) === 6) asked();
      return Promise.reject(new Error('away'));
    },
  };
  const lag = { look: () => Promise.resolve({ lag: [], factsPerSecond: 0 }) };
  const feed = new MapFeed({ gateway: client, location: client, lag, log: { warn: () => {} } });
  const { stream, eventStream } = reader();
  feed.watch(eventStream);
  await allAsked;
  stream.end();
  return calls;
}

test('looks carry no signal that lives as long as somebody looks, and ask for the whole half hour of each cell', async () => {
  const calls = await firstCalls();
  expect(calls.filter(({ signal }) => signal !== undefined)).toEqual([]);
  const query = { from: expect.any(String), per: 'range', limit: 1_000 };
  expect(calls).toContainEqual({ path: '/v1/ops/demand', query, signal: undefined });
});

test('cells have their demand, the surge, and their corners; those elsewhere are left out', () => {
  const row = { minute: '2026-01-01T12:00:00.000Z', completed: 0, cancelled: 0, assigned: 0, freed: 0 };
  const here = '882a100d2bfffff';
  const there = '881f1d4887fffff';
  const demand = {
    cells: [
      { ...row, cell: here, requested: 5, noDriver: 1 },
      { ...row, cell: there, requested: 3, noDriver: 0 },
    ],
  };
  const surges = { surges: [{ cell: here, multiplier: 1.5, validUntil: row.minute }] };
  const [cell, ...others] = cellsOf(demand, surges, ringOf);
  expect(others).toEqual([]);
  expect(cell).toMatchObject({ cell: here, requested: 5, noDriver: 1, surge: 1.5 });
  expect(cell!.ring).toHaveLength(12);
});

test('a ride in progress has no pickup ahead, and one whose driver is on the map names the mark', () => {
  const board = new FleetBoard();
  board.take([at('a', 1), at('b', 2)]);
  const place = { lat: 40.7, lng: -74 };
  const ride = {
    ...{ rideId: 'r', workflowId: 'ride-r', driverId: 'b', pickup: place, stops: [], dropoff: place },
    requestedAt: '2026-01-01T12:00:00.000Z',
  };
  const rides = [
    { ...ride, status: 'assigned' as const },
    { ...ride, status: 'in_progress' as const, driverId: null },
    { ...ride, status: 'assigned' as const, pickup: { lat: 0, lng: 0 } },
  ];
  expect(mapRides({ rides }, board)).toMatchObject([
    { driver: 1, way: [...gridOf(place), ...gridOf(place)] },
    { driver: -1, way: gridOf(place) },
  ]);
});

test('the map’s rims are the grid’s', () => {
  expect(gridOf({ lat: area.south, lng: area.west })).toEqual([0, 0]);
  expect(gridOf({ lat: 90, lng: area.east })).toEqual([GRID, GRID]);
  expect(isOnMap({ lat: 40.7, lng: -74.4 })).toBe(false);
});

test('the index tells a map who is in its box, fresh, at most so many', () => {
  const nowMs = Date.parse('2026-01-01T12:00:00.000Z');
  const writer = new PositionWriter(nowMs);
  const one = { lat: 40.7, lng: -74, sequence: 3, atMs: nowMs - 1_000 };
  writer.add({ ...one, driverId: 'here', takes: 0x01 });
  writer.add({ ...one, driverId: 'a-name-longer-than-fifteen' });
  writer.add({ ...one, driverId: 'silent', atMs: nowMs - 90_000 });
  writer.add({ ...one, driverId: 'elsewhere', lat: 41.2 });
  const index = new PositionIndex();
  const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
  index.apply(readPositionRecord(writer.finish()), { partition: 0, sentMs: nowMs, oldestMs: 0 }, counts);
  const query = { ...area, limit: 10, maxAgeMs: 60_000, nowMs };
  const drivers = [...driversIn(readPositionRecord(index.recordOf(query)!), new Set())];
  const [x, y] = gridOf(one);
  expect(drivers.sort((a, b) => (a.driverId < b.driverId ? -1 : 1))).toEqual([
    { driverId: 'a-name-longer-than-fifteen', x, y, isFree: true },
    { driverId: 'here', x, y, isFree: false },
  ]);
  expect(readPositionRecord(index.recordOf({ ...query, limit: 1 })!).count).toBe(1);
  expect(index.recordOf({ ...query, west: -73.9 })).toBeNull();
});

test('who is on a ride is drawn so, also where the map has too many rides to have theirs', () => {
  const nowMs = Date.parse('2026-01-01T12:00:00.000Z');
  const onRide = new Set(['busy', 'ending']);
  const index = new PositionIndex({ isOnRide: (driverId) => onRide.has(driverId) });
  const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
  const takes = takesOf({ vehicle: 'standard', isOnline: true });
  for (const sequence of [1, 2]) {
    const writer = new PositionWriter(nowMs);
    for (const driverId of ['busy', 'ending', 'free', 'just-got-one'])
      writer.add({ ...{ driverId, lat: 40.7, lng: -74, sequence, atMs: nowMs, takes } });
    index.apply(readPositionRecord(writer.finish()), { partition: 0, sentMs: nowMs, oldestMs: 0 }, counts);
  }
  index.setFree('ending', true);
  index.setFree('never-heard-of', true);
  const record = index.recordOf({ ...area, limit: 10, maxAgeMs: 60_000, nowMs })!;
  const drawn = [...driversIn(readPositionRecord(record), new Set(['just-got-one']))];
  expect(Object.fromEntries(drawn.map(({ driverId, isFree }) => [driverId, isFree]))).toEqual({
    ...{ busy: false, ending: true, free: true, 'just-got-one': false },
  });
});

test('the legend names each kind of mark that the map draws', () => {
  const page = mapPage({ area, grid: GRID });
  const marks = [...page.matchAll(/class="mark (\w+)"/g)].map(([, mark]) => mark);
  expect(marks).toEqual(['free', 'busy', 'pickup', 'ride', 'track', 'few', 'many', 'surge']);
});

test('lag is summed up by group from what processes show', () => {
  const text = [
    '# HELP kafka_consumer_group_lag x',
    'kafka_consumer_group_lag{group="audit",topic="rides",partition="0"} 3',
    'kafka_consumer_group_lag{group="audit",topic="rides",partition="1"} 4',
    'hailway_consumer_lag_seconds{group="audit",topic="rides",partition="1"} 1.26',
    'other{group="audit"} 9',
  ].join('\n');
  const names = new Set(['kafka_consumer_group_lag', 'hailway_consumer_lag_seconds']);
  expect(lagIn(samplesIn(text, names))).toEqual([{ group: 'audit', records: 7, seconds: 1.3 }]);
});
