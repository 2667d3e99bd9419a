import type { Applied } from '../../consumers/location/intake';
import { PositionIndex, type IndexOptions } from '../../consumers/location/positionIndex';
import type { Cost, NearestQuery } from '../../consumers/location/search';
import { readPositionRecord, Takes, type DriverPosition } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { distanceMeters, type Point } from '../../domain/geo';

/** What the index must answer: look at everybody. */
export function bruteForce(updates: readonly DriverPosition[], query: NearestQuery, cost?: Cost) {
  const costOf = ({ distanceMeters: meters, lat, lng }: Point & { distanceMeters: number }): number =>
    cost ? cost.of(meters, { lat, lng }) : meters;
  return newestOf(updates)
    .filter(({ atMs }) => atMs >= query.nowMs - query.maxAgeMs)
    .filter(({ takes = Takes.everything }) => (takes & (query.takes ?? 0)) === (query.takes ?? 0))
    .map(({ driverId, atMs, lat, lng, sequence }) => ({
      ...{ driverId, lat, lng, sequence },
      distanceMeters: distanceMeters(query, { lat, lng }),
      ageMs: query.nowMs - atMs,
    }))
    .filter((driver) => driver.distanceMeters <= query.radiusMeters)
    .map((driver) => ({ driver, cost: costOf(driver) }))
    .sort((a, b) => a.cost - b.cost || (a.driver.driverId < b.driver.driverId ? -1 : 1))
    .slice(0, query.limit)
    .map(({ driver }) => driver);
}

export function newestOf(updates: readonly DriverPosition[]): DriverPosition[] {
  const newest = new Map<string, DriverPosition>();
  for (const update of updates) {
    const known = newest.get(update.driverId);
    if (known === undefined || update.sequence > known.sequence) newest.set(update.driverId, update);
  }
  return [...newest.values()];
}

/** An index that is told positions, each in a record of its own or all in one. */
export function told(updates: readonly DriverPosition[], options?: IndexOptions) {
  const index = new PositionIndex(options);
  tell(index, updates);
  return index;
}

export function tell(index: PositionIndex, updates: readonly DriverPosition[], partition = 0): Applied {
  const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
  if (updates.length === 0) return counts;
  const writer = new PositionWriter(nowMs);
  for (const update of updates) writer.add(update);
  const source = { partition, sentMs: nowMs, oldestMs: 0 };
  index.apply(readPositionRecord(writer.finish()), source, counts);
  return counts;
}

/** As records have it: whole 1e-7 degrees. */
export const whole = (degrees: number): number => Math.round(degrees * 1e7) / 1e7;

/** 20 s behind where the low 32 bits of times change their sign. */
export const nowMs = 326 * 2 ** 32 + 2 ** 31 + 20_000;

/** Of all forms that ids have. */
export const idOf = (driver: number): string =>
  driver % 3 === 0
    ? `d${driver}`
    : driver % 3 === 1
      ? `01a200c0-97cd-72ad-986e-2cd93ba3${String(driver).padStart(4, '0')}`
      : `driver-with-a-long-name-${driver}`;

/** Drivers spread over a few kilometres around a centre, on both sides of whatever line goes through it. */
export function crowd(seed: number, centre: { lat: number; lng: number }, count: number): DriverPosition[] {
  let state = seed;
  const random = () => (state = (Math.imul(state, 48_271) >>> 0) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: count }, (_, index) => {
    const lat = Math.max(-90, Math.min(90, centre.lat + (random() - 0.5) * 0.2));
    const width = Math.abs(centre.lat) > 89 ? 360 : 0.2 / Math.cos((centre.lat * Math.PI) / 180);
    const lng = ((((centre.lng + (random() - 0.5) * width + 180) % 360) + 360) % 360) - 180;
    return { driverId: idOf(index), lat: whole(lat), lng: whole(lng), sequence: 1, atMs: nowMs };
  });
}
