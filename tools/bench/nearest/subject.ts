import { PositionIndex, type NearbyDriver } from '../../../consumers/location/positionIndex';
import { byArrivalAt } from '../../../consumers/location/search';
import { readPositionRecord, takesForFree } from '../../../contracts/positionRecord';
import type { Point } from '../../../domain/geo';
import { percentile, type Metrics } from '../frame';
import { isOnRide, recordsOf, Traffic } from '../location/traffic';

export const LIMIT = 10;
export const RADIUS_METERS = 5_000;
const MAX_AGE_MS = 600_000;
/** Between so many queries some drivers tell where they are now, in one record. */
const WRITE_EVERY = 50;
const WRITES = 500;

const asked = () => ({ limit: LIMIT, radiusMeters: RADIUS_METERS, maxAgeMs: MAX_AGE_MS });

/** An index that hears what drivers of the traffic tell. */
export class Subject {
  readonly index: PositionIndex;
  readonly traffic: Traffic;

  constructor(drivers: number) {
    this.traffic = new Traffic(drivers);
    this.index = new PositionIndex({ maxDrivers: drivers, isOnRide });
    this.tell([...this.traffic.ids.keys()]);
  }

  private tell(drivers: readonly number[]): void {
    const now = Date.now();
    const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
    const source = { partition: 0, sentMs: now, oldestMs: 0 };
    for (const record of recordsOf(drivers.map((driver) => this.traffic.move(driver, now))))
      this.index.apply(readPositionRecord(record), source, counts);
  }

  nearest(at: Point): NearbyDriver[] {
    return this.index.nearest({ ...at, ...asked(), nowMs: Date.now() });
  }

  /** What dispatch asks: who takes the product, is on a shift and on no ride, and would be there first. */
  firstThere(at: Point): NearbyDriver[] {
    const query = { ...at, ...asked(), nowMs: Date.now(), takes: takesForFree('standard') };
    return this.index.cheapest(query, byArrivalAt(query));
  }

  /**
   * Queries under live writes, which are not timed.
   * @param ask what is timed; `nearest` unless told
   * @param moved hears of each driver who has moved
   */
  live(
    queries: number,
    {
      ask = (at) => this.nearest(at),
      moved = () => {},
    }: { ask?: (at: Point) => unknown; moved?: (driver: number) => void } = {},
  ): Metrics {
    const micros = new Float64Array(queries);
    for (let n = 0; n < queries; n++) {
      if (n % WRITE_EVERY === 0) {
        const drivers = Array.from({ length: WRITES }, () => this.traffic.someDriver());
        this.tell(drivers);
        drivers.forEach(moved);
      }
      const at = this.traffic.somePlace();
      const startedAt = performance.now();
      ask(at);
      micros[n] = (performance.now() - startedAt) * 1_000;
    }
    const all = micros.reduce((sum, each) => sum + each, 0);
    const times = [...micros];
    return {
      queriesPerSecond: (queries * 1e6) / all,
      p50Us: percentile(times, 50),
      p99Us: percentile(times, 99),
    };
  }
}
