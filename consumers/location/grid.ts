import { Cells, type Box } from '../../domain/cells';
import { DEGREE, type Point } from '../../domain/geo';
import { hashOfWords, longer, SlotTable, widened } from './slotTable';

/** A chunk: the next chunk of its cell (−1: none), and five entries. 64 bytes, a line of the processor's cache. */
const CHUNK_WORDS = 16;
export const ENTRY_WORDS = 3;
const ENTRIES = 5;
/** Places in an entry, in words: where it is, and the slot (24 bits) above what the driver takes (8 bits). */
export const entry = { lat: 0, lng: 1, slotAndTakes: 2 } as const;

/** What is done with entries that lie in a row: the place of the first, and how many they are. */
type Look = (place: number, count: number) => void;

/** Words of a cell: row, column, its first chunk, how many entries it has. All chunks but the first are full. */
const CELL_WORDS = 4;
const none = -1;

/**
 * Entries by the cell in which they lie. Those of a cell lie together in chunks, so a search reads them in a row; an
 * entry that goes leaves its place to the cell's last one, so putting in and taking out are O(1) wherever in the world.
 */
export class Grid {
  pool: Int32Array = new Int32Array(64 * CHUNK_WORDS);
  readonly cells: Cells;
  private cellOfChunk: Int32Array = new Int32Array(64);
  private chunks = 0;
  private freeChunk = none;
  private cellWords: Int32Array = new Int32Array(64 * CELL_WORDS);
  private cellsEver = 0;
  private freeCell = none;
  private readonly table = new SlotTable((cell) => this.hashOfCell(cell));
  private squares = 0;
  private size = 0;

  /** @param moved is told where a slot's entry is now */
  constructor(
    cellMeters: number,
    private readonly moved: (slot: number, place: number) => void,
  ) {
    this.cells = new Cells(cellMeters);
  }

  get bytes(): number {
    const { pool, cellOfChunk, cellWords, table, cells } = this;
    return pool.byteLength + cellOfChunk.byteLength + cellWords.byteLength + table.bytes + cells.bytes;
  }

  /** How many share a cell with an entry, on average of the entries. */
  get crowding(): number {
    return this.size === 0 ? 0 : this.squares / this.size;
  }

  /** Puts an entry in. @returns its place, a word of `pool` */
  put(lat: number, lng: number, slotAndTakes: number): number {
    const cellRow = this.cells.rowOf(lat);
    return this.putInto(cellRow, this.cells.columnOf(cellRow, lng), lat, lng, slotAndTakes);
  }

  /** Reads what moving an entry will read. @returns something of it */
  reach(place: number): number {
    return this.pool[place]! ^ this.cellWords[this.cellOfChunk[place >>> 4]! * CELL_WORDS]!;
  }

  /** Moves an entry. @returns its new place */
  move(place: number, lat: number, lng: number, slotAndTakes: number): number {
    const cellRow = this.cells.rowOf(lat);
    const column = this.cells.columnOf(cellRow, lng);
    const at = this.cellOfChunk[place >>> 4]! * CELL_WORDS;
    if (this.cellWords[at] === cellRow && this.cellWords[at + 1] === column) {
      this.pool[place] = lat;
      this.pool[place + entry.lng] = lng;
      this.pool[place + entry.slotAndTakes] = slotAndTakes;
      return place;
    }
    this.remove(place);
    return this.putInto(cellRow, column, lat, lng, slotAndTakes);
  }

  /** Takes an entry out. */
  remove(place: number): void {
    const cell = this.cellOfChunk[place >>> 4]!;
    const at = cell * CELL_WORDS;
    const count = this.cellWords[at + 3]!;
    const first = this.cellWords[at + 2]!;
    const last = first * CHUNK_WORDS + 1 + ((count - 1) % ENTRIES) * ENTRY_WORDS;
    if (last !== place) {
      const { pool } = this;
      pool[place] = pool[last]!;
      pool[place + 1] = pool[last + 1]!;
      pool[place + 2] = pool[last + 2]!;
      this.moved(pool[place + 2]! >>> 8, place);
    }
    this.size -= 1;
    this.squares -= 2 * count - 1;
    this.cellWords[at + 3] = count - 1;
    if (count % ENTRIES !== 1) return;
    this.cellWords[at + 2] = this.pool[first * CHUNK_WORDS]!;
    this.pool[first * CHUNK_WORDS] = this.freeChunk;
    this.freeChunk = first;
    if (count !== 1) return;
    this.table.remove(cell);
    this.cellWords[at] = this.freeCell;
    this.freeCell = cell;
  }

  /** How many entries are in a cell. */
  readonly countIn = (cellRow: number, column: number): number => {
    const cell = this.find(cellRow, column);
    return cell === none ? 0 : this.cellWords[cell * CELL_WORDS + 3]!;
  };

  /** Calls `look` with the stretches of entries in the cells of a box. */
  eachIn(box: Box, look: Look): void {
    const cells: number[] = [];
    this.cells.eachIn(box, (row, column) => this.collect(row, column, cells));
    this.eachOf(cells, look);
  }

  /**
   * Calls `look` with the slot of each entry in the cells that a box touches, which begins at a south-western corner in
   * degrees and goes to a latitude and `width` degrees eastward. Does nothing and answers false for more than `limit` cells.
   */
  eachInBox(
    corner: Point,
    { lat, width }: { readonly lat: number; readonly width: number },
    limit: number,
    look: (slot: number) => void,
  ): boolean {
    // One more on each side, for what rounding may do.
    const low = Math.max(0, this.cells.rowOf(corner.lat * DEGREE) - 1);
    const high = Math.min(this.cells.rows - 1, this.cells.rowOf(lat * DEGREE) + 1);
    const cells: number[] = [];
    let touched = 0;
    for (let row = low; row <= high; row++) {
      const columns = this.cells.columnsOf(row);
      const west = this.cells.columnOf(row, corner.lng * DEGREE) - 1;
      const wide = Math.min(columns, Math.ceil((width / 360) * columns) + 3);
      touched += wide;
      if (touched > limit) return false;
      for (let n = 0; n < wide; n++) this.collect(row, (west + n + columns) % columns, cells);
    }
    this.eachOf(cells, (place, count) => {
      for (let e = 0; e < count; e++) look(this.pool[place + e * ENTRY_WORDS + entry.slotAndTakes]! >>> 8);
    });
    return true;
  }

  private collect(row: number, column: number, cells: number[]): void {
    const cell = this.find(row, column);
    if (cell !== none) cells.push(cell);
  }

  /**
   * The cells' chunks are walked side by side before they are looked at: one cell's do not depend on another's, so the
   * processor fetches many at a time. Chunk by chunk it would wait for each.
   */
  private eachOf(cells: readonly number[], look: Look): void {
    const { pool, cellWords } = this;
    const chunks = cells.map((cell) => cellWords[cell * CELL_WORDS + 2]!);
    for (let n = 0; n < chunks.length; n++) {
      const next = pool[chunks[n]! * CHUNK_WORDS]!;
      if (next !== none) chunks.push(next);
    }
    chunks.forEach((chunk, n) => {
      const isFirst = n < cells.length;
      const count = isFirst ? ((cellWords[cells[n]! * CELL_WORDS + 3]! - 1) % ENTRIES) + 1 : ENTRIES;
      look(chunk * CHUNK_WORDS + 1, count);
    });
  }

  private putInto(cellRow: number, column: number, lat: number, lng: number, slotAndTakes: number): number {
    let cell = this.find(cellRow, column);
    if (cell === none) cell = this.newCell(cellRow, column);
    const at = cell * CELL_WORDS;
    const count = this.cellWords[at + 3]!;
    if (count % ENTRIES === 0) this.cellWords[at + 2] = this.newChunk(cell, this.cellWords[at + 2]!);
    const place = this.cellWords[at + 2]! * CHUNK_WORDS + 1 + (count % ENTRIES) * ENTRY_WORDS;
    this.cellWords[at + 3] = count + 1;
    this.size += 1;
    this.squares += 2 * count + 1;
    this.pool[place] = lat;
    this.pool[place + entry.lng] = lng;
    this.pool[place + entry.slotAndTakes] = slotAndTakes;
    return place;
  }

  private find(cellRow: number, column: number): number {
    const hash = hashOfWords(cellRow, column, 0, 0);
    const { entries, mask } = this.table;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const found = entries[at]!;
      if (found === 0) return none;
      if ((found & 0xff) !== hash >>> 24) continue;
      const cell = (found >>> 8) - 1;
      if (this.cellWords[cell * CELL_WORDS] === cellRow && this.cellWords[cell * CELL_WORDS + 1] === column)
        return cell;
    }
  }

  private hashOfCell(cell: number): number {
    return hashOfWords(this.cellWords[cell * CELL_WORDS]!, this.cellWords[cell * CELL_WORDS + 1]!, 0, 0);
  }

  private newCell(cellRow: number, column: number): number {
    let cell = this.freeCell;
    if (cell !== none) this.freeCell = this.cellWords[cell * CELL_WORDS]!;
    else {
      cell = this.cellsEver++;
      if (this.cellsEver * CELL_WORDS > this.cellWords.length)
        this.cellWords = widened(this.cellWords, longer(this.cellsEver) * CELL_WORDS);
    }
    const at = cell * CELL_WORDS;
    this.cellWords[at] = cellRow;
    this.cellWords[at + 1] = column;
    this.cellWords[at + 2] = none;
    this.cellWords[at + 3] = 0;
    this.table.put(cell, this.hashOfCell(cell));
    return cell;
  }

  private newChunk(cell: number, next: number): number {
    let chunk = this.freeChunk;
    if (chunk !== none) this.freeChunk = this.pool[chunk * CHUNK_WORDS]!;
    else {
      chunk = this.chunks++;
      if (this.chunks * CHUNK_WORDS > this.pool.length) {
        this.pool = widened(this.pool, longer(this.chunks) * CHUNK_WORDS);
        this.cellOfChunk = widened(this.cellOfChunk, longer(this.chunks));
      }
    }
    this.pool[chunk * CHUNK_WORDS] = next;
    this.cellOfChunk[chunk] = cell;
    return chunk;
  }
}
