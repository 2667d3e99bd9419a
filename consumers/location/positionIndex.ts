import { SEQUENCE_HIGH, Takes, type PositionRows } from '../../contracts/positionRecord';
import { distanceMeters, type Point } from '../../domain/geo';
import { PositionWriter } from '../../contracts/positionWriter';
import { boundsOf, isInPolygon, type Polygon } from '../../domain/polygon';
import { PARTITION_SHIFT, SLOT_WORDS, slotWord } from './drivers';
import { Fleet } from './fleet';
import { Intake, type Applied, type Source } from './intake';
import { entry } from './entries';
import { hashOfWords } from './slotTable';
import { byDistance, eachDriver, eachInBox, searchNearest, type Cost, type NearestQuery } from './search';

export interface NearbyDriver extends Point {
  readonly driverId: string;
  readonly distanceMeters: number;
  readonly ageMs: number;
  readonly sequence: number;
}

export interface DriverWithin extends Point {
  readonly driverId: string;
  readonly ageMs: number;
  readonly sequence: number;
  /** Of `Takes`. */
  readonly takes: number;
}

export interface WithinQuery {
  readonly nowMs: number;
  readonly maxAgeMs: number;
  readonly limit: number;
}

/** A part of the map, in degrees, that does not cross the antimeridian. */
export interface BoxQuery {
  readonly south: number;
  readonly west: number;
  readonly north: number;
  readonly east: number;
  /** At most so many; of more, whichever come first. */
  readonly limit: number;
  readonly maxAgeMs: number;
  readonly nowMs: number;
}

export interface IndexOptions {
  /**
   * Memory is bounded by it, at some 64 bytes each in cities, 200 where each is alone in a cell: more drivers than that are
   * refused until some have fallen silent.
   */
  readonly maxDrivers?: number;
  readonly cellMeters?: number;
  /** Who is on a ride (`setFree` says when that changes); unless told, `Takes.free` is what records say. */
  readonly isOnRide?: (driverId: string) => boolean;
}

/** All of `Takes` that records say. */
const lastingTakes = Takes.everything & ~Takes.free;

/**
 * The newest position of every driver, in memory: 28 bytes in `Drivers`, an entry of 16 in the grid, and the tables that
 * lead to both.
 */
export class PositionIndex {
  private readonly fleet: Fleet;
  private readonly intake: Intake;
  private swept = 0;

  constructor({ maxDrivers = 4_000_000, cellMeters = 500, isOnRide }: IndexOptions = {}) {
    this.fleet = new Fleet(maxDrivers, cellMeters, isOnRide ?? null);
    this.intake = new Intake(this.fleet);
  }

  get size(): number {
    return this.fleet.drivers.size;
  }

  /** All that is kept, but for ids that are neither UUIDs nor short. */
  get bytes(): number {
    return this.fleet.drivers.bytes + this.fleet.grid.bytes;
  }

  get cellMeters(): number {
    return this.fleet.grid.cells.cellMeters;
  }

  /** Takes positions in, each unless a newer one is known: late and doubled ones change nothing. Adds to `counts`. */
  apply(rows: PositionRows, source: Source, counts: Applied): void {
    this.intake.take(rows, source, counts);
  }

  /** A driver has got or ended a ride: nothing to do for one nobody has heard of. */
  setFree(driverId: string, isFree: boolean): void {
    const slot = this.fleet.drivers.findId(driverId);
    if (slot >= 0) this.fleet.setFree(slot, isFree);
  }

  /** The nearest drivers by great-circle distance, nearest first; equally near ones by id. */
  nearest(query: NearestQuery): NearbyDriver[] {
    return this.search(query, byDistance, (_at, meters) => meters);
  }

  /** Those whose cost is least, the cheapest first; of those that cost the same, the lower id. */
  cheapest(query: NearestQuery, cost: Cost): NearbyDriver[] {
    return this.search(query, cost, (at) => distanceMeters(query, at));
  }

  private search(
    query: NearestQuery,
    by: Cost,
    metersOf: (at: Point, cost: number) => number,
  ): NearbyDriver[] {
    const { drivers, reader, entries } = this.fleet;
    const { places, costs } = searchNearest(drivers, reader, query, by);
    const slots = places.map((place) => entries.slotAt(place));
    const ids = drivers.idsOf(slots);
    return places.map((place, n) => {
      const at = entries.pointAt(place);
      return {
        driverId: ids[n]!,
        lat: at.lat,
        lng: at.lng,
        distanceMeters: metersOf(at, costs[n]!),
        ageMs: entries.ageAt(place, query.nowMs),
        sequence: drivers.sequenceOf(slots[n]!),
      };
    });
  }

  /** The drivers in a polygon of whom something was heard within `maxAgeMs`, by id: of more than `limit`, whichever come first. */
  within(ring: Polygon, { nowMs, maxAgeMs, limit }: WithinQuery): DriverWithin[] {
    const found: DriverWithin[] = [];
    const { south, north, west, width } = boundsOf(ring);
    const { drivers, reader, entries } = this.fleet;
    const look = (place: number): void => {
      if (found.length === limit) return;
      const ageMs = entries.ageAt(place, nowMs);
      const at = entries.pointAt(place);
      if (ageMs > maxAgeMs || !isInPolygon(ring, at)) return;
      const slot = entries.slotAt(place);
      const [driverId, sequence] = [drivers.idOf(slot), drivers.sequenceOf(slot)];
      found.push({ driverId, ...at, ageMs, sequence, takes: entries.takesAt(place) });
    };
    eachInBox(drivers, reader, { south, west, north, widthDegrees: width }, look);
    return found.sort((a, b) => (a.driverId < b.driverId ? -1 : 1));
  }

  /** The drivers in a box as a position record, with what they take: for maps. Null where there are none. */
  recordOf({ south, west, north, east, limit, maxAgeMs, nowMs }: BoxQuery): Uint8Array | null {
    const writer = new PositionWriter(nowMs);
    const { drivers, reader, entries } = this.fleet;
    const look = (place: number): void => {
      if (writer.count === limit) return;
      const ageMs = entries.ageAt(place, nowMs);
      const { lat, lng } = entries.pointAt(place);
      if (ageMs > maxAgeMs || lat < south || lat > north || lng < west || lng > east) return;
      writer.add({
        driverId: drivers.idOf(entries.slotAt(place)),
        lat,
        lng,
        sequence: drivers.sequenceOf(entries.slotAt(place)),
        atMs: nowMs - ageMs,
        takes: entries.takesAt(place),
      });
    };
    eachInBox(drivers, reader, { south, west, north, widthDegrees: east - west }, look);
    return writer.count === 0 ? null : writer.finish();
  }

  /** Where a driver was last, and how long ago; null for one nobody has heard of. */
  find(
    driverId: string,
    nowMs: number,
  ): (Point & { readonly ageMs: number; readonly sequence: number }) | null {
    const slot = this.fleet.drivers.findId(driverId);
    if (slot < 0) return null;
    const { drivers, entries } = this.fleet;
    const place = drivers.placeOf(slot);
    return {
      ...entries.pointAt(place),
      ageMs: entries.ageAt(place, nowMs),
      sequence: drivers.sequenceOf(slot),
    };
  }

  /** Looks at the next `atMost` slots and forgets who was last heard of before `oldestMs`. Returns how many. */
  sweep(oldestMs: number, atMost: number): number {
    const oldest = oldestMs | 0;
    const before = this.size;
    const { drivers } = this.fleet;
    for (let looks = Math.min(atMost, drivers.slots); looks > 0; looks--) {
      if (this.swept >= drivers.slots) this.swept = 0;
      const slot = this.swept++;
      const place = drivers.placeOf(slot);
      if (place >= 0 && ((this.fleet.entries.pool[place + entry.at]! - oldest) | 0) < 0)
        this.fleet.forget(slot);
    }
    this.fleet.fitGrid();
    return before - this.size;
  }

  /**
   * Forgets whoever was last heard of in a partition, but for those who were told elsewhere, too, being near a region's rim.
   * @param heirOf another partition that has them, by where they are; undefined where none does
   */
  dropPartition(partition: number, heirOf: (at: Point) => number | undefined): void {
    const { words } = this.fleet.drivers;
    eachDriver(this.fleet.drivers, (place, slot) => {
      const at = slot * SLOT_WORDS + slotWord.sequenceHighAndPartition;
      if (words[at]! >>> PARTITION_SHIFT !== partition) return;
      const heir = heirOf(this.fleet.entries.pointAt(place));
      if (heir === undefined) this.fleet.forget(slot);
      else words[at] = (words[at]! & SEQUENCE_HIGH) | (heir << PARTITION_SHIFT);
    });
  }

  /**
   * A number that two indexes share where both know the same drivers at the same places, then and taking the same, with the
   * same sequences, in whatever order they came to know them. Of who is on a ride it says nothing.
   */
  digest(): number {
    let sum = 0;
    eachDriver(this.fleet.drivers, (place, slot) => {
      const { words } = this.fleet.drivers;
      const at = slot * SLOT_WORDS;
      const { entries } = this.fleet;
      const { pool } = entries;
      const key = hashOfWords(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
      const high = words[at + slotWord.sequenceHighAndPartition]! & SEQUENCE_HIGH;
      const sequence = hashOfWords(key, words[at + slotWord.sequenceLow]!, high, pool[place + entry.at]!);
      const takes = entries.takesAt(place) & lastingTakes;
      sum = (sum + hashOfWords(sequence, takes, pool[place]!, pool[place + entry.lng]!)) | 0;
    });
    return sum >>> 0;
  }
}
