import { PositionIndex } from '../../../consumers/location/positionIndex';
import { readPositionRecord } from '../../../contracts/positionRecord';
import { PositionWriter } from '../../../contracts/positionWriter';
import type { Point } from '../../../domain/geo';
import { seededRandom } from '../../city/random';

/** Some 20 km/h, and as far in a frame of 200 ms. */
const STEP_DEGREES = 1e-5;

/** Drivers near real pickups, all on the move. */
export class MovingFleet {
  readonly index = new PositionIndex();
  private readonly drivers: { driverId: string; at: Point; course: number }[];
  private sequence = 0;
  private readonly counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };

  /** @param pickups none near the map's rim: nobody drives off it */
  constructor(size: number, pickups: readonly Point[]) {
    const random = seededRandom('map');
    this.drivers = Array.from({ length: size }, (_, n) => {
      const { lat, lng } = random.pick(pickups);
      const at = { lat: lat + random.between(-0.01, 0.01), lng: lng + random.between(-0.01, 0.01) };
      return { driverId: `driver-${n}`, at, course: random.between(0, 2 * Math.PI) };
    });
    this.move(Date.now());
  }

  get applied(): number {
    return this.counts.applied;
  }

  idOf(n: number): string {
    return this.drivers[n % this.drivers.length]!.driverId;
  }

  /** Moves everybody a step. */
  move(nowMs: number): void {
    const writer = new PositionWriter(nowMs);
    this.sequence += 1;
    for (const driver of this.drivers) {
      const { lat, lng } = driver.at;
      driver.at = {
        lat: lat + Math.sin(driver.course) * STEP_DEGREES,
        lng: lng + Math.cos(driver.course) * STEP_DEGREES,
      };
      writer.add({ driverId: driver.driverId, ...driver.at, sequence: this.sequence, atMs: nowMs });
    }
    const rows = readPositionRecord(writer.finish());
    this.index.apply(rows, { partition: 0, sentMs: nowMs, oldestMs: 0 }, this.counts);
  }
}
