import { approachSeconds, leastSeconds, mostMeters } from '../../domain/approach';
import { DEGREE, distancesFrom, EARTH_RADIUS_METERS, type Point } from '../../domain/geo';
import type { CellReader, Look } from './cellReader';
import type { Drivers } from './drivers';
import { entry, ENTRY_WORDS } from './entries';
import type { Grid } from './grid';
import { Cheapest } from './nearest';

export interface NearestQuery extends Point {
  readonly radiusMeters: number;
  readonly limit: number;
  /** Older positions are as good as none. */
  readonly maxAgeMs: number;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Only drivers who take all of this (`Takes`); anybody, unless told. */
  readonly takes?: number;
}

/** By what drivers are ordered. */
export interface Cost {
  /** Of a driver so many meters away, straight, at a point. Finite. */
  of(meters: number, from: Point): number;
  /** Nobody so many meters away, or further, costs less: rises with them. */
  least(meters: number): number;
  /** Whoever costs no more than this is no further away. */
  reach(cost: number): number;
}

export const byDistance: Cost = { of: (meters) => meters, least: (meters) => meters, reach: (cost) => cost };

/** Each hour of the day takes so many times as long as another, whatever the way: who is first is so at any. */
const ANY_HOUR = 12;

/** By when a car can be at a place (`domain/approach.ts`), in seconds of an hour at noon. */
export const byArrivalAt = (place: Point): Cost => ({
  of: (_meters, from) => approachSeconds(from, place, ANY_HOUR),
  least: (meters) => leastSeconds(meters, ANY_HOUR),
  reach: (cost) => mostMeters(cost, ANY_HOUR),
});

const halfTurn = 180 * DEGREE;
const wholeTurn = 360 * DEGREE;
const unitRadians = Math.PI / halfTurn;
/** More than floating point errs by, in any of the sums below. */
const margin = 1 + 1e-9;
/** A circle with more cells than there are drivers, and some: it is cheaper to look at each driver once. */
const cellsAtLeast = 64;

/**
 * The cheapest drivers within the radius, and their costs; ties by id.
 *
 * The search looks at the cells that a circle touches, and if need be at those of wider ones. It stops once `limit` drivers
 * were found of whom none costs more than `least` of the circle's radius: whoever was not offered lies outside the circle
 * (`Cells.boxOf`), hence costs at least as much, so nobody cheaper can follow. Of those who cost just as much some may
 * lie outside: an unseen driver is further away than the circle's radius, hence costs more where `least` rises.
 */
export function searchNearest(
  drivers: Drivers,
  reader: CellReader,
  query: NearestQuery,
  cost: Cost,
): Cheapest {
  const { radiusMeters, limit } = query;
  const { grid } = reader;
  const { cells } = grid;
  const mostCells = cellsAtLeast + drivers.size;
  for (let radius = firstRadius(reader, query); ;) {
    const circle = Math.min(radius, radiusMeters);
    const box = cells.boxOf(query, circle);
    const found = new Cheapest(limit, (place) => drivers.idOf(grid.entries.slotAt(place)));
    if (circle > cells.cellMeters && cells.countIn(box, mostCells) > mostCells) {
      const cosine = cells.leastCosineIn(cells.boxOf(query, radiusMeters));
      const offer = createOffer(grid, query, cost, { meters: radiusMeters, cosine }, found);
      eachDriver(drivers, (place) => offer(place, 1));
      return found;
    }
    const within = { meters: circle, cosine: cells.leastCosineIn(box) };
    reader.eachIn(box, createOffer(grid, query, cost, within, found));
    if (circle >= radiusMeters || found.worst <= cost.least(circle)) return found;
    radius = nextRadius(circle, found, limit, cost);
  }
}

/**
 * Offers those within a circle who are not known to be too dear, and perhaps some who are just outside.
 *
 * Within a cell a driver is passed over unmeasured where a lower bound of the distance shows that they are too far. With
 * dφ and dλ the differences of latitude and longitude, and c at most the product of the latitudes' cosines, the haversine
 * is h = sin²(dφ/2) + cos φ₁ cos φ₂ sin²(dλ/2), and sin²x ≥ x²(1 − x²/3) gives
 * 4h ≥ (dφ² + c dλ²)(1 − (dφ² + dλ²)/12). The distance is 2R asin √h ≥ 2R √h. All angles here are at most π in size, and
 * where the last factor is negative nobody is passed over.
 */
function createOffer(
  grid: Grid,
  query: NearestQuery,
  cost: Cost,
  /** The circle's radius, and at most the cosine of any latitude within. */
  circle: { readonly meters: number; readonly cosine: number },
  found: Cheapest,
): Look {
  const { nowMs, maxAgeMs, takes = 0, radiusMeters } = query;
  const now = nowMs | 0;
  const metersTo = distancesFrom(query);
  const { pool } = grid.entries;
  const lat = query.lat * DEGREE;
  const lng = query.lng * DEGREE;
  const cosHere = Math.cos(lat * unitRadians);
  const curve = unitRadians ** 2 / 12;

  /** Squared units within which a driver may count: of the circle, and what is within reach of the worst that is kept. */
  let limit = Infinity;
  const tighten = (): void => {
    const reach = Math.min(circle.meters, cost.reach(found.worst));
    limit = (reach / (EARTH_RADIUS_METERS * unitRadians)) ** 2 * margin;
  };
  tighten();

  const cosines = cosHere * circle.cosine;
  return (place: number, count: number): void => {
    for (const end = place + count * ENTRY_WORDS; place < end; place += ENTRY_WORDS) {
      const dLat = pool[place]! - lat;
      let dLng = Math.abs(pool[place + entry.lng]! - lng);
      if (dLng > halfTurn) dLng = wholeTurn - dLng;
      const lats = dLat * dLat;
      const lngs = dLng * dLng;
      if ((lats + cosines * lngs) * (1 - curve * (lats + lngs)) > limit) continue;
      const slotAndTakes = pool[place + entry.slotAndTakes]!;
      if ((slotAndTakes & takes) !== takes) continue;
      if (((now - pool[place + entry.at]!) | 0) > maxAgeMs) continue;
      const from = { lat: pool[place]! / DEGREE, lng: pool[place + entry.lng]! / DEGREE };
      const meters = metersTo(from);
      if (meters > radiusMeters) continue;
      found.offer(place, cost.of(meters, from));
      tighten();
    }
  };
}

/** Where a third more than are wanted may be, were they everywhere as in the cells around. */
function firstRadius(reader: CellReader, query: NearestQuery): number {
  const { cells } = reader.grid;
  const around = reader.countIn(cells.boxOf(query, cells.cellMeters / 2));
  const cellsWanted = (around.cells * 1.3 * query.limit) / Math.max(1, around.entries);
  return cells.cellMeters * Math.sqrt(cellsWanted / Math.PI);
}

/** With enough found: as far as the worst of them forces. Else as far as the density so far makes it likely. */
function nextRadius(radius: number, found: Cheapest, limit: number, cost: Cost): number {
  if (found.count === limit) return Math.max(cost.reach(found.worst), radius) * margin;
  const times = Math.sqrt((1.5 * limit) / (found.count + 0.5));
  return radius * Math.min(4, Math.max(1.25, times));
}

/** Calls `visit` with the place of each driver's entry and their slot. */
export function eachDriver(drivers: Drivers, visit: (place: number, slot: number) => void): void {
  for (let slot = 0; slot < drivers.slots; slot++) {
    const place = drivers.placeOf(slot);
    if (place >= 0) visit(place, slot);
  }
}

/**
 * Calls `look` with the place of each entry that may be in a part of the map, from its south-western corner on, in degrees;
 * of one with more cells than there are drivers with everybody's.
 */
export function eachInBox(
  drivers: Drivers,
  reader: CellReader,
  part: {
    readonly south: number;
    readonly west: number;
    readonly north: number;
    readonly widthDegrees: number;
  },
  look: (place: number) => void,
): void {
  const { cells } = reader.grid;
  const box = cells.boxFrom({ lat: part.south, lng: part.west }, part.north, part.widthDegrees);
  if (cells.countIn(box, drivers.size) > drivers.size) return eachDriver(drivers, look);
  reader.eachIn(box, (place, count) => {
    for (let n = 0; n < count; n++) look(place + n * ENTRY_WORDS);
  });
}
