import { cellToBoundary, gridRing, latLngToCell } from 'h3-js';
import { Drivers, SLOT_WORDS, slotWord } from '../../../consumers/location/drivers';
import {
  HEADER_WORDS,
  ROW_WORDS,
  row,
  SEQUENCE_HIGH,
  sequenceOf,
  type PositionRows,
} from '../../../contracts/positionRecord';
import { DEGREE, distanceMeters, type Point } from '../../../domain/geo';

/**
 * Cells of some 300 m²: of a million drivers in New York some four share one with a driver. In larger ones a search takes
 * longer, in smaller ones as long.
 */
const RESOLUTION = 12;
const none = -1;
/** More than are asked for, so that whoever is as near as the last is looked at, too. */
const SPARE = 8;

/**
 * Hailway's records and table of drivers with an index of H3 cells in place of its grid: typed arrays, a list of drivers for
 * each cell, whose number is known by its name. It keeps no times and filters nobody, and reads nothing ahead.
 */
export class H3Index {
  private readonly drivers: Drivers;
  private readonly lat: Int32Array;
  private readonly lng: Int32Array;
  private readonly cellOf: Int32Array;
  /** The driver behind and the one before in a cell's list. */
  private readonly behind: Int32Array;
  private readonly before: Int32Array;
  private readonly numbers = new Map<string, number>();
  /** By a cell's number: the first of its list. */
  private readonly first: number[] = [];

  constructor(maxDrivers: number) {
    this.drivers = new Drivers(maxDrivers);
    this.lat = new Int32Array(maxDrivers);
    this.lng = new Int32Array(maxDrivers);
    this.cellOf = new Int32Array(maxDrivers).fill(none);
    this.behind = new Int32Array(maxDrivers);
    this.before = new Int32Array(maxDrivers);
  }

  /** @returns how many of the positions told something new */
  take({ words, count }: PositionRows): number {
    let applied = 0;
    for (let n = 0, at = HEADER_WORDS; n < count; n++, at += ROW_WORDS) {
      const found = this.drivers.find(words, at);
      if (found >= 0 && this.drivers.sequenceOf(found) >= sequenceOf(words, at)) continue;
      const slot = found >= 0 ? found : this.drivers.add(words, at);
      const known = this.drivers.words;
      known[slot * SLOT_WORDS + slotWord.sequenceLow] = words[at + row.sequenceLow]!;
      known[slot * SLOT_WORDS + slotWord.sequenceHighAndPartition] =
        words[at + row.sequenceHighAndTakes]! & SEQUENCE_HIGH;
      this.move(slot, words[at + row.lat]!, words[at + row.lng]!);
      applied++;
    }
    return applied;
  }

  find(driverId: string): (Point & { readonly sequence: number }) | null {
    const slot = this.drivers.findId(driverId);
    return slot < 0 ? null : { ...this.placeOf(slot), sequence: this.drivers.sequenceOf(slot) };
  }

  /** The ids of the nearest within a radius, nearest first, ties by id. */
  nearest(at: Point, limit: number, radiusMeters: number): string[] {
    const origin = latLngToCell(at.lat, at.lng, RESOLUTION);
    const edgeMeters = shortestEdgeMeters(origin);
    const best: { slot: number; meters: number }[] = [];
    const room = limit + SPARE;
    for (let ring = 0; ; ring++) {
      for (const name of ring === 0 ? [origin] : gridRing(origin, ring)) {
        const cell = this.numbers.get(name);
        if (cell === undefined) continue;
        for (let slot = this.first[cell]!; slot !== none; slot = this.behind[slot]!) {
          const meters = distanceMeters(at, this.placeOf(slot));
          if (meters > (best[room - 1]?.meters ?? radiusMeters)) continue;
          best.splice(best.findLastIndex((one) => one.meters <= meters) + 1, 0, { slot, meters });
          if (best.length > room) best.pop();
        }
      }
      // From anywhere in a cell to beyond so many rings around it, in a lattice of hexagons.
      const seenMeters = (1.5 * ring - 0.5) * edgeMeters;
      if (seenMeters <= (best[limit - 1]?.meters ?? radiusMeters)) continue;
      return best
        .map(({ slot, meters }) => ({ id: this.drivers.idOf(slot), meters }))
        .sort((a, b) => a.meters - b.meters || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(({ id }) => id);
    }
  }

  private placeOf(slot: number): Point {
    return { lat: this.lat[slot]! / DEGREE, lng: this.lng[slot]! / DEGREE };
  }

  private move(slot: number, lat: number, lng: number): void {
    this.lat[slot] = lat;
    this.lng[slot] = lng;
    const name = latLngToCell(lat / DEGREE, lng / DEGREE, RESOLUTION);
    let cell = this.numbers.get(name);
    if (cell === undefined) this.numbers.set(name, (cell = this.first.push(none) - 1));
    const was = this.cellOf[slot]!;
    if (was === cell) return;
    if (was !== none) this.takeOut(slot, was);
    const behind = this.first[cell]!;
    this.behind[slot] = behind;
    this.before[slot] = none;
    if (behind !== none) this.before[behind] = slot;
    this.first[cell] = slot;
    this.cellOf[slot] = cell;
  }

  private takeOut(slot: number, cell: number): void {
    const [before, behind] = [this.before[slot]!, this.behind[slot]!];
    if (before === none) this.first[cell] = behind;
    else this.behind[before] = behind;
    if (behind !== none) this.before[behind] = before;
  }
}

/**
 * At most the edge of a regular hexagon that, stretched as H3's projection stretches one here, is the cell: of a stretched one
 * the shortest edge is at most 1.07 times that, and those around it hardly differ.
 */
function shortestEdgeMeters(cell: string): number {
  const corners = cellToBoundary(cell).map(([lat, lng]) => ({ lat, lng }));
  const edges = corners.map((corner, n) => distanceMeters(corner, corners[(n + 1) % corners.length]!));
  return Math.min(...edges) * 0.9;
}
