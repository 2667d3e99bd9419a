import { HEADER_WORDS, row, ROW_WORDS } from '../../contracts/positionRecord';
import { slotHashOf, SLOT_WORDS, slotWord } from './drivers';
import { CHUNK_SHIFT } from './entries';
import type { Fleet } from './fleet';
import { CELL_WORDS, hashOfCell } from './grid';
import { BLOCK, prefetch } from './prefetch';

/**
 * Finds the drivers of a block's rows, and reads what moving them will need: where each entry is, the cell it leaves and the
 * entry that takes its place there, the cell it comes to and the place behind the last entry there. That is up to eleven
 * places in memory for a position, one after another; here each step is made for the whole block (see `prefetch`). What it
 * reads for moves is a guess that nothing depends on: earlier rows of the block may change it.
 */
export class LookAhead {
  /** Of each row the slot of its driver; −1 for one who is not known yet, and for an id that stands elsewhere. */
  readonly slots = new Int32Array(BLOCK);
  /** Of drivers, then of cells, as where looking for them begins. */
  private readonly hashes = new Int32Array(BLOCK);
  private readonly homes = new Int32Array(BLOCK);
  private readonly places = new Int32Array(BLOCK);
  private readonly chunks = new Int32Array(BLOCK);
  /** Words of cells: of those that are left, then of those that are come to. */
  private readonly cellsAt = new Int32Array(BLOCK);

  constructor(private readonly fleet: Fleet) {}

  /** @param count of rows, at most `BLOCK`, from the row `first` on */
  read(words: Int32Array, first: number, count: number): void {
    const at = HEADER_WORDS + first * ROW_WORDS;
    this.findSlots(words, at, count);
    this.readEntries(count);
    this.readCells(words, at, count);
  }

  private findSlots(words: Int32Array, start: number, count: number): void {
    const { hashes, homes, places, slots } = this;
    const { drivers } = this.fleet;
    const { table } = drivers;
    for (let n = 0, at = start; n < count; n++, at += ROW_WORDS) {
      hashes[n] = slotHashOf(words, at);
      homes[n] = table.homeOf(hashes[n]!);
    }
    prefetch(table.entries, homes, count);
    for (let n = 0; n < count; n++) {
      slots[n] = table.slotAt(table.first(hashes[n]!));
      places[n] = Math.max(0, slots[n]!) * SLOT_WORDS;
    }
    prefetch(drivers.words, places, count);
    prefetch(drivers.words, places, count, slotWord.place);
    for (let n = 0, at = start; n < count; n++, at += ROW_WORDS)
      if (slots[n]! >= 0 && !drivers.isAt(slots[n]!, words, at))
        slots[n] = drivers.findHashed(words, at, hashes[n]!);
  }

  private readEntries(count: number): void {
    const { slots, places, chunks, cellsAt } = this;
    const { drivers, entries, grid } = this.fleet;
    for (let n = 0; n < count; n++) {
      places[n] = slots[n]! < 0 ? 0 : drivers.placeOf(slots[n]!);
      chunks[n] = places[n]! >>> CHUNK_SHIFT;
    }
    prefetch(entries.pool, places, count);
    prefetch(entries.cellOfChunk, chunks, count);
    for (let n = 0; n < count; n++) cellsAt[n] = entries.cellAt(places[n]!) * CELL_WORDS;
    prefetch(grid.cellWords, cellsAt, count);
  }

  private readCells(words: Int32Array, start: number, count: number): void {
    const { hashes, homes, places, cellsAt } = this;
    const { drivers, entries, grid } = this.fleet;
    const { cells, table } = grid;
    for (let n = 0, at = start; n < count; n++, at += ROW_WORDS) {
      places[n] = Math.max(0, grid.lastPlaceOf(cellsAt[n]!));
      const cellRow = cells.rowOf(words[at + row.lat]!);
      hashes[n] = hashOfCell(cellRow, cells.columnOf(cellRow, words[at + row.lng]!));
      homes[n] = table.homeOf(hashes[n]!);
    }
    prefetch(entries.pool, places, count);
    prefetch(table.entries, homes, count);
    for (let n = 0; n < count; n++) {
      places[n] = entries.slotAt(places[n]!) * SLOT_WORDS;
      cellsAt[n] = grid.guessAt(hashes[n]!);
    }
    prefetch(drivers.words, places, count, slotWord.place);
    prefetch(grid.cellWords, cellsAt, count);
    for (let n = 0; n < count; n++) places[n] = Math.max(0, grid.placeBehind(cellsAt[n]!));
    prefetch(entries.pool, places, count);
  }
}
