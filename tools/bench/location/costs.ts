import { latLngToCell } from 'h3-js';
import { PositionIndex } from '../../../consumers/location/positionIndex';
import { readPositionRecord } from '../../../contracts/positionRecord';
import { Cells } from '../../../domain/cells';
import { DEGREE, type Point } from '../../../domain/geo';
import { percentile, type Checks, type Metrics } from '../frame';
import { H3Index } from './h3Index';
import { isOnRide, recordsOf, Traffic } from './traffic';

const PLACES = 200_000;
const QUERIES = 2_000;
const UPDATES = 1_000_000;
const MOVE_ROUNDS = 3;

/** What it takes to say which cell a place is in: by the grid, and by H3. In nanoseconds. */
export function cellCosts({ lat, lng, drivers }: Traffic, cellMeters: number): Metrics {
  const cells = new Cells(cellMeters);
  const places = Math.min(PLACES, drivers);
  let sum = 0;
  const timed = (cellOf: (n: number) => number): number => {
    const startedAt = performance.now();
    for (let n = 0; n < places; n++) sum += cellOf(n);
    return ((performance.now() - startedAt) * 1e6) / places;
  };
  const grid = (n: number): number => {
    const row = cells.rowOf(lat[n]! * DEGREE);
    return row + cells.columnOf(row, lng[n]! * DEGREE);
  };
  timed(grid);
  const gridNsPerCell = timed(grid);
  const h3NsPerCell = timed((n) => latLngToCell(lat[n]!, lng[n]!, 9).length);
  if (sum === 0) throw new Error('impossible: no cell was named');
  return { gridNsPerCell, h3NsPerCell };
}

/** What it takes to find the ten nearest, by the grid and by H3's cells, which answer the same. In microseconds. */
export function nearestCosts(index: PositionIndex, traffic: Traffic, checks: Checks): Metrics {
  const h3 = new H3Index(traffic.drivers);
  for (const record of recordsOf(traffic.ids.map((_, n) => traffic.positionOf(n))))
    h3.take(readPositionRecord(record));
  const places = Array.from({ length: QUERIES }, () => traffic.somePlace());
  const query = { limit: 10, radiusMeters: 5_000 };
  const timed = (ask: (at: Point) => string[]) => {
    const micros: number[] = [];
    const answers = places.map((at) => {
      const startedAt = performance.now();
      const answer = ask(at);
      micros.push((performance.now() - startedAt) * 1_000);
      return answer;
    });
    return { medianUs: percentile(micros, 50), answers };
  };
  const nowMs = Date.now();
  const byGrid = timed((at) =>
    index.nearest({ ...at, ...query, nowMs, maxAgeMs: 3_600_000 }).map(({ driverId }) => driverId),
  );
  const byH3 = timed((at) => h3.nearest(at, query.limit, query.radiusMeters));
  checks.note('gridAndH3FindTheSame', String(byGrid.answers) === String(byH3.answers));
  return { gridNearestUs: byGrid.medianUs, h3NearestUs: byH3.medianUs };
}

/**
 * What an update takes that moves a driver: of few drivers, and of many who all are in one place, from which they drive
 * away in all directions. In nanoseconds, the median of rounds.
 */
export function moveCosts(): Metrics {
  const crowd = new Traffic(100_000);
  const { lat, lng } = crowd.somePlace();
  crowd.lat.fill(lat);
  crowd.lng.fill(lng);
  return {
    nsPerUpdateOf10000: nsPerUpdate(new Traffic(10_000)),
    nsPerUpdateInACrowdOf100000: nsPerUpdate(crowd),
  };
}

/** The first round, in which everybody is new, does not count. */
function nsPerUpdate(traffic: Traffic): number {
  const index = new PositionIndex({ maxDrivers: traffic.drivers, isOnRide });
  const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
  const source = { partition: 0, sentMs: Number.MAX_SAFE_INTEGER, oldestMs: 0 };
  const [, ...timed] = Array.from({ length: 1 + MOVE_ROUNDS }, () => {
    const said = Array.from({ length: UPDATES }, (_, n) => traffic.move(n % traffic.drivers, Date.now()));
    const records = recordsOf(said);
    const startedAt = performance.now();
    for (const record of records) index.apply(readPositionRecord(record), source, counts);
    return ((performance.now() - startedAt) * 1e6) / UPDATES;
  });
  if (counts.applied !== (1 + MOVE_ROUNDS) * UPDATES)
    throw new Error('impossible: an update told nothing new');
  return percentile(timed, 50);
}
