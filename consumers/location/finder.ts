import { z } from 'zod';
import type { withinBody, WithinView } from '../../contracts/api/within';
import { Takes } from '../../contracts/positionRecord';
import { cornersOf } from '../../contracts/zones';
import type { Point } from '../../domain/geo';
import { keyOfRegion, type Regions } from '../../domain/regions';
import { DependencyUnavailable } from '../../platform/errors';
import { partitionFor } from '../../platform/kafka';
import { createPositionsHandler } from './handler';
import type { Holding } from './holding';
import type { Others } from './others';
import { PositionIndex, type BoxQuery, type DriverWithin, type NearbyDriver } from './positionIndex';
import { byArrivalAt, type NearestQuery } from './search';

/** Dispatch, riders and the map ask for positions of the last minute: with these a start is ready. */
export const FRESH_MS = 60_000;

export type Asked = Omit<NearestQuery, 'nowMs'>;
type Found = Point & { readonly ageMs: number; readonly sequence: number };

const found = z.object({ lat: z.number(), lng: z.number(), ageMs: z.number(), sequence: z.number() });
/** What one process says of the partitions that it answers for. */
export const nearestHere = z.object({
  partitions: z.array(z.number()),
  drivers: z.array(found.extend({ driverId: z.string(), distanceMeters: z.number() })),
});
export const withinHere = z.object({
  partitions: z.array(z.number()),
  drivers: z.array(found.extend({ driverId: z.string(), takes: z.int() })),
});
/** A polygon as operators ask for it, and who of its drivers is told of. */
export type AskedWithin = z.infer<typeof withinBody>;
export const fleetHere = z.object({ partitions: z.array(z.number()), record: z.base64().nullable() });
export const positionHere = z.object({ partitions: z.array(z.number()), position: found.nullable() });

/** Answers for all drivers there are, of what lies here and of what the other processes hold. */
export interface Finder {
  /**
   * Those who, were they free, could be at the place first (`byArrivalAt`), within a radius by the straight line; ties by id.
   * @throws DependencyUnavailable somebody who is near might be in a partition for which nobody can answer now
   */
  nearest(query: Asked): Promise<readonly NearbyDriver[]>;
  /**
   * Where a driver was last; null where nothing is known that is at most so old.
   * @throws DependencyUnavailable as above, and where nothing fresh is known and so old positions are still being read
   */
  find(driverId: string, maxAgeMs: number): Promise<Found | null>;
  /**
   * The drivers in a box as a position record in base64, for maps; null where there are none. Those for whom nobody can
   * answer now are left out.
   */
  fleet(query: Omit<BoxQuery, 'nowMs'>): Promise<string | null>;
  /**
   * The drivers in a polygon, by id, at most as many as are asked for. Where one moved from one region to another, of the two
   * that know them the newer is believed; where the newer one is not in the polygon, the older may be told until it is too old.
   * @throws DependencyUnavailable some driver might be in a partition for which nobody can answer now
   */
  within(asked: AskedWithin): Promise<WithinView>;
  withinHere(asked: AskedWithin): z.infer<typeof withinHere>;
  fleetHere(query: Omit<BoxQuery, 'nowMs'>): z.infer<typeof fleetHere>;
  nearestHere(query: Asked): z.infer<typeof nearestHere>;
  findHere(driverId: string, maxAgeMs: number): z.infer<typeof positionHere>;
}

export interface FinderOptions {
  readonly index: PositionIndex;
  readonly holding: Pick<Holding, 'partitions' | 'answersFor'>;
  readonly others: Others;
  readonly regions: Regions;
  readonly now: () => number;
}

/** The partitions, of so many, to which a position is told: that of its region, and those whose rim is near. */
export const partitionsOf = (at: Point, regions: Regions, partitions: number): number[] =>
  regions.toldOf(at).map((region) => partitionFor(keyOfRegion(region), partitions));

export function createFinder({ index, holding, others, regions, now }: FinderOptions): Finder {
  const all = (): number[] => Array.from({ length: holding.partitions }, (_, partition) => partition);
  const here = (maxAgeMs: number): number[] =>
    all().filter((partition) => holding.answersFor(partition, maxAgeMs));

  /** Those of these partitions for whose positions of up to that age this process does not answer. */
  function missingOf(partitions: readonly number[], maxAgeMs: number): Set<number> {
    if (holding.partitions === 0) throw new DependencyUnavailable('kafka');
    return new Set(partitions.filter((partition) => !holding.answersFor(partition, maxAgeMs)));
  }

  const nearestHereNow = (query: Asked): NearbyDriver[] =>
    index.cheapest({ ...query, nowMs: now() }, byArrivalAt(query));

  function findHereNow(driverId: string, maxAgeMs: number): Found | null {
    const found = index.find(driverId, now());
    return found !== null && found.ageMs <= maxAgeMs ? found : null;
  }

  const fleetIn = (some: PositionIndex, query: Omit<BoxQuery, 'nowMs'>): string | null => {
    const record = some.recordOf({ ...query, nowMs: now() });
    return record && Buffer.from(record).toString('base64');
  };

  /** The newest of all records, each driver once: an index knows how. */
  function newestOf(records: readonly string[]): PositionIndex {
    const newest = new PositionIndex();
    const handler = createPositionsHandler({ index: newest, keepMs: Infinity, now });
    handler.take(
      records.map((record) => ({ partition: 0, value: Buffer.from(record, 'base64'), timestamp: now() })),
    );
    return newest;
  }

  /** One more than is asked for says that there are more. */
  const withinHereNow = (asked: AskedWithin): DriverWithin[] =>
    index.within(cornersOf(asked.polygon.coordinates[0]), {
      ...{ nowMs: now(), maxAgeMs: maxAgeMsOf(asked), limit: asked.limit + 1 },
    });

  /** The newest position of those that are at most so old. */
  async function newest(driverId: string, maxAgeMs: number): Promise<Found | null> {
    const missing = missingOf(all(), maxAgeMs);
    const answers = await others.ask(missing, {
      path: `/internal/here/drivers/${encodeURIComponent(driverId)}/position`,
      ...(Number.isFinite(maxAgeMs) && { query: { maxAgeMs } }),
      response: positionHere,
    });
    if (missing.size > 0) throw new DependencyUnavailable('location');
    const positions = [findHereNow(driverId, maxAgeMs), ...answers.map(({ position }) => position)];
    return positions.reduce((a, b) => (b !== null && (a === null || b.sequence > a.sequence) ? b : a), null);
  }

  return {
    async within(asked) {
      const missing = missingOf(all(), maxAgeMsOf(asked));
      const call = { path: '/internal/here/within', body: asked, response: withinHere };
      const answers = await others.ask(missing, call);
      if (missing.size > 0) throw new DependencyUnavailable('location');
      const drivers = newestOfEach([withinHereNow(asked), ...answers.map((answer) => answer.drivers)]);
      return { drivers: drivers.slice(0, asked.limit).map(driverView), more: drivers.length > asked.limit };
    },
    withinHere: (asked) => ({ partitions: here(maxAgeMsOf(asked)), drivers: withinHereNow(asked) }),
    async fleet(query) {
      const call = { path: '/internal/here/fleet', query: { ...query }, response: fleetHere };
      const answers = await others.ask(missingOf(all(), query.maxAgeMs), call);
      const records = [fleetIn(index, query), ...answers.map(({ record }) => record)];
      const some = records.filter((record) => record !== null);
      return some.length < 2 ? (some[0] ?? null) : fleetIn(newestOf(some), query);
    },
    fleetHere: (query) => ({ partitions: here(query.maxAgeMs), record: fleetIn(index, query) }),
    async nearest(query) {
      const touched = regions.touching(query, query.radiusMeters);
      const missing = missingOf(
        touched.map((region) => partitionFor(keyOfRegion(region), holding.partitions)),
        query.maxAgeMs,
      );
      if (missing.size === 0) return nearestHereNow(query);
      const { takes, ...rest } = query;
      const answers = await others.ask(missing, {
        path: '/internal/here/nearest',
        query: { ...rest, ...(takes !== undefined && { takes }) },
        response: nearestHere,
      });
      if (missing.size > 0) throw new DependencyUnavailable('location');
      return merged([nearestHereNow(query), ...answers.map(({ drivers }) => drivers)], query);
    },
    // A fresh position is the newest, though nobody may know yet what is older.
    find: async (driverId, maxAgeMs) =>
      (await newest(driverId, Math.min(maxAgeMs, FRESH_MS))) ??
      (maxAgeMs > FRESH_MS ? newest(driverId, maxAgeMs) : null),
    nearestHere: (query) => ({ partitions: here(query.maxAgeMs), drivers: nearestHereNow(query) }),
    findHere: (driverId, maxAgeMs) => ({
      partitions: here(maxAgeMs),
      position: findHereNow(driverId, maxAgeMs),
    }),
  };
}

const maxAgeMsOf = ({ maxAgeSeconds }: AskedWithin): number => maxAgeSeconds * 1_000;

/** What operators are told of a driver. */
const driverView = ({ driverId, lat, lng, ageMs, takes }: DriverWithin): WithinView['drivers'][number] => ({
  ...{ driverId, lat, lng, ageMs },
  isOnShift: (takes & Takes.available) !== 0,
  isFree: (takes & Takes.free) !== 0,
});

/** Of a driver whom several know, the newest; by id. */
function newestOfEach(answers: readonly (readonly DriverWithin[])[]): DriverWithin[] {
  const newest = new Map<string, DriverWithin>();
  for (const driver of answers.flat())
    if (driver.sequence > (newest.get(driver.driverId)?.sequence ?? -1)) newest.set(driver.driverId, driver);
  return [...newest.values()].sort((a, b) => (a.driverId < b.driverId ? -1 : 1));
}

/** Who is there first of all answers; of a driver whom several know, the newest. */
function merged(answers: readonly (readonly NearbyDriver[])[], query: Asked): NearbyDriver[] {
  const arrival = byArrivalAt(query);
  const newest = new Map<string, NearbyDriver>();
  for (const driver of answers.flat())
    if (driver.sequence > (newest.get(driver.driverId)?.sequence ?? -1)) newest.set(driver.driverId, driver);
  return [...newest.values()]
    .map((driver) => ({ driver, cost: arrival.of(driver.distanceMeters, driver) }))
    .sort((a, b) => a.cost - b.cost || (a.driver.driverId < b.driver.driverId ? -1 : 1))
    .slice(0, query.limit)
    .map(({ driver }) => driver);
}
