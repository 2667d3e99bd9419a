import { distanceMeters, EARTH_RADIUS_METERS, type Point } from '../../../domain/geo';
import type { Traffic } from '../location/traffic';

const toRadians = Math.PI / 180;
/** More than are asked for, so that whoever is next in line by rounding is looked at, too. */
const SPARE = 8;

/** Everybody's place as a point of the unit sphere, looked at one by one. */
export class BruteForce {
  private readonly xyz: Float64Array;

  constructor(private readonly traffic: Traffic) {
    this.xyz = new Float64Array(traffic.drivers * 3);
    for (let n = 0; n < traffic.drivers; n++) this.note(n);
  }

  /** A driver is elsewhere now. */
  note(driver: number): void {
    const { lat, lng } = this.traffic;
    const [phi, lambda] = [lat[driver]! * toRadians, lng[driver]! * toRadians];
    this.xyz[driver * 3] = Math.cos(phi) * Math.cos(lambda);
    this.xyz[driver * 3 + 1] = Math.cos(phi) * Math.sin(lambda);
    this.xyz[driver * 3 + 2] = Math.sin(phi);
  }

  /** The ids of the nearest within a radius, nearest first, ties by id. */
  nearest(at: Point, limit: number, radiusMeters: number): string[] {
    const [phi, lambda] = [at.lat * toRadians, at.lng * toRadians];
    const x = Math.cos(phi) * Math.cos(lambda);
    const y = Math.cos(phi) * Math.sin(lambda);
    const z = Math.sin(phi);
    const { xyz, traffic } = this;
    const room = limit + SPARE;
    const best: number[] = [];
    const chords: number[] = [];
    // The chord of the radius, squared, and a little: the radius itself is judged below.
    let worst = (2 * Math.sin(radiusMeters / EARTH_RADIUS_METERS / 2)) ** 2 * (1 + 1e-6);
    for (let n = 0, word = 0; n < traffic.drivers; n++, word += 3) {
      const dx = xyz[word]! - x;
      const dy = xyz[word + 1]! - y;
      const dz = xyz[word + 2]! - z;
      const chord = dx * dx + dy * dy + dz * dz;
      if (chord >= worst) continue;
      let place = Math.min(best.length, room - 1);
      for (; place > 0 && chord < chords[place - 1]!; place--) {
        best[place] = best[place - 1]!;
        chords[place] = chords[place - 1]!;
      }
      best[place] = n;
      chords[place] = chord;
      if (best.length === room) worst = chords[room - 1]!;
    }
    return best
      .map((n) => ({
        id: traffic.ids[n]!,
        meters: distanceMeters(at, { lat: traffic.lat[n]!, lng: traffic.lng[n]! }),
      }))
      .filter(({ meters }) => meters <= radiusMeters)
      .sort((a, b) => a.meters - b.meters || (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map(({ id }) => id);
  }
}
