import { PositionIndex } from '../../../consumers/location/positionIndex';
import { readPositionRecord } from '../../../contracts/positionRecord';
import { PositionWriter } from '../../../contracts/positionWriter';
import type { Point } from '../../../domain/geo';
import { percentile, type Metrics } from '../frame';
import { Traffic } from '../location/traffic';

export const LIMIT = 10;
export const RADIUS_METERS = 5_000;
const MAX_AGE_MS = 600_000;
/** Between so many queries some drivers tell where they are now, in one record. */
const WRITE_EVERY = 50;
const WRITES = 500;

/** An index that hears what drivers of the traffic tell. */
export class Subject {
  readonly index: PositionIndex;
  readonly traffic: Traffic;

  constructor(drivers: number) {
    this.traffic = new Traffic(drivers);
    this.index = new PositionIndex({ maxDrivers: drivers });
    for (let start = 0; start < drivers; start += WRITES)
      this.tell(Array.from({ length: Math.min(WRITES, drivers - start) }, (_, n) => start + n));
  }

  private tell(drivers: readonly number[]): void {
    const now = Date.now();
    const writer = new PositionWriter(now);
    for (const driver of drivers) writer.add(this.traffic.move(driver, now));
    const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
    const source = { partition: 0, sentMs: now, oldestMs: 0 };
    this.index.apply(readPositionRecord(writer.finish()), source, counts);
  }

  ask(at: Point) {
    const query = { limit: LIMIT, radiusMeters: RADIUS_METERS, maxAgeMs: MAX_AGE_MS, nowMs: Date.now() };
    return this.index.nearest({ ...at, ...query });
  }

  /** Queries under live writes, which are not timed; `moved` hears of each driver who has moved. */
  live(queries: number, moved: (driver: number) => void): Metrics {
    const micros = new Float64Array(queries);
    for (let n = 0; n < queries; n++) {
      if (n % WRITE_EVERY === 0) {
        const drivers = Array.from({ length: WRITES }, () => this.traffic.someDriver());
        this.tell(drivers);
        drivers.forEach(moved);
      }
      const at = this.traffic.somePlace();
      const startedAt = performance.now();
      this.ask(at);
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
