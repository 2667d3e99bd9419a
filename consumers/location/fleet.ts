import { row, SEQUENCE_HIGH, Takes } from '../../contracts/positionRecord';
import { driverIdOfKey } from '../../contracts/driverKey';
import { CellReader } from './cellReader';
import { Drivers, PARTITION_SHIFT, SLOT_WORDS, slotWord } from './drivers';
import { entry, type Entries } from './entries';
import { Grid } from './grid';
import { eachDriver } from './search';

/** So many drivers in a driver's cell make searches quick and chunks full; the grid is laid anew at twice that, or a fourth. */
const CROWDING = 36;
const [leastCellMeters, mostCellMeters] = [10, 2_000];
/** Not before there are so many. */
const CROWD = 256;

/** Drivers and the grid that they stand on. */
export class Fleet {
  readonly drivers: Drivers;
  /** Not to be kept: a grid that is laid anew has others. */
  reader: CellReader;
  private lookAtCrowding = CROWD;

  /** @param isOnRide who is on a ride; without it `Takes.free` is what records say */
  constructor(
    maxDrivers: number,
    cellMeters: number,
    private readonly isOnRide: ((driverId: string) => boolean) | null,
  ) {
    this.drivers = new Drivers(maxDrivers);
    this.reader = new CellReader(this.newGrid(cellMeters));
  }

  get grid(): Grid {
    return this.reader.grid;
  }

  get entries(): Entries {
    return this.grid.entries;
  }

  /** Takes a driver in as the row at `rows[at]` has them. False when there is no room. */
  add(rows: Int32Array, at: number, longId: string | undefined, partition: number, atMs: number): boolean {
    const slot = this.drivers.add(rows, at, longId);
    if (slot < 0) return false;
    const said = rows[at + row.sequenceHighAndTakes]! >>> 24;
    const takes =
      this.isOnRide === null ? said : freeOr(said, !this.isOnRide(longId ?? driverIdOfKey(rows, at)));
    const place = this.grid.put(rows[at + row.lat]!, rows[at + row.lng]!, (slot << 8) | takes, atMs);
    this.note(slot, place, rows, at, partition);
    if (this.drivers.size > this.lookAtCrowding) {
      this.lookAtCrowding *= 2;
      this.fitGrid();
    }
    return true;
  }

  /** Moves a driver to where the row at `rows[at]` has them. */
  move(slot: number, rows: Int32Array, at: number, partition: number, atMs: number): void {
    const said = rows[at + row.sequenceHighAndTakes]! >>> 24;
    const place = this.drivers.placeOf(slot);
    const takes =
      this.isOnRide === null ? said : freeOr(said, (this.entries.takesAt(place) & Takes.free) !== 0);
    const [lat, lng] = [rows[at + row.lat]!, rows[at + row.lng]!];
    this.note(slot, this.grid.move(place, lat, lng, (slot << 8) | takes, atMs), rows, at, partition);
  }

  /** A driver has got or ended a ride. */
  setFree(slot: number, isFree: boolean): void {
    const at = this.drivers.placeOf(slot) + entry.slotAndTakes;
    const slotAndTakes = this.entries.pool[at]!;
    this.entries.pool[at] = isFree ? slotAndTakes | Takes.free : slotAndTakes & ~Takes.free;
  }

  forget(slot: number): void {
    this.grid.remove(this.drivers.placeOf(slot));
    this.drivers.remove(slot);
  }

  /** Lays a finer or coarser grid where cells hold far more or fewer drivers than makes searches quick. */
  fitGrid(): void {
    const { cellMeters } = this.grid.cells;
    const times = this.grid.crowding / CROWDING;
    if (this.drivers.size < CROWD || (times < 2 && times > 1 / 4)) return;
    const wanted = Math.min(mostCellMeters, Math.max(leastCellMeters, cellMeters / Math.sqrt(times)));
    // Where many stand at one point no grid is fine enough.
    if (Math.abs(Math.log2(wanted / cellMeters)) < 0.5) return;
    const before = this.entries.pool;
    this.reader = new CellReader(this.newGrid(wanted));
    eachDriver(this.drivers, (place, slot) => {
      const at = slot * SLOT_WORDS + slotWord.place;
      this.drivers.words[at] = this.grid.put(
        before[place]!,
        before[place + entry.lng]!,
        before[place + entry.slotAndTakes]!,
        before[place + entry.at]!,
      );
    });
  }

  private note(slot: number, place: number, rows: Int32Array, at: number, partition: number): void {
    const { words } = this.drivers;
    const word = slot * SLOT_WORDS;
    const high = rows[at + row.sequenceHighAndTakes]! & SEQUENCE_HIGH;
    words[word + slotWord.sequenceLow] = rows[at + row.sequenceLow]!;
    words[word + slotWord.sequenceHighAndPartition] = high | (partition << PARTITION_SHIFT);
    words[word + slotWord.place] = place;
  }

  private newGrid(cellMeters: number): Grid {
    return new Grid(cellMeters, (slot, place) => {
      this.drivers.words[slot * SLOT_WORDS + slotWord.place] = place;
    });
  }
}

/** What a driver takes, being free or not. */
const freeOr = (takes: number, isFree: boolean): number =>
  isFree ? takes | Takes.free : takes & ~Takes.free;
