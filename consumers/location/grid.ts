import { Cells, type Box } from '../../domain/cells';
import { DEGREE, type Point } from '../../domain/geo';
import { CHUNK_ENTRIES, CHUNK_WORDS, Entries, entry, ENTRY_WORDS, none } from './entries';
import { hashOfWords, longer, SlotTable, widened } from './slotTable';

/** What is done with entries that lie in a row: the place of the first, and how many they are. */
type Look = (place: number, count: number) => void;

/** Words of a cell: row, column, its first chunk, how many entries it has. All chunks but the first are full. */
const CELL_WORDS = 4;

/**
 * Entries by the cell in which they lie. Those of a cell lie together in chunks, so a search reads them in a row; an
 * entry that goes leaves its place to the cell's last one, so putting in and taking out are O(1) wherever in the world.
 */
export class Grid {
  readonly entries = new Entries();
  readonly cells: Cells;
  private cellWords: Int32Array = new Int32Array(64 * CELL_WORDS);
  private cellsEver = 0;
  private freeCell = none;
  private readonly table = new SlotTable((cell) => this.hashOfCell(cell));
  private squares = 0;
  private size = 0;
  /** Keeps the compiler from leaving out what is only read so that it is near. */
  protected reached = 0;

  /** @param moved is told where a slot's entry is now */
  constructor(
    cellMeters: number,
    private readonly moved: (slot: number, place: number) => void,
  ) {
    this.cells = new Cells(cellMeters);
  }

  get bytes(): number {
    return this.entries.bytes + this.cellWords.byteLength + this.table.bytes + this.cells.bytes;
  }

  /** How many share a cell with an entry, on average of the entries. */
  get crowding(): number {
    return this.size === 0 ? 0 : this.squares / this.size;
  }

  /** Puts an entry in. @returns its place, a word of `entries.pool` */
  put(lat: number, lng: number, slotAndTakes: number, atMs: number): number {
    const cellRow = this.cells.rowOf(lat);
    return this.putInto(cellRow, this.cells.columnOf(cellRow, lng), lat, lng, slotAndTakes, atMs);
  }

  /** Reads what moving an entry will read. @returns something of it */
  reach(place: number): number {
    const { entries, cellWords } = this;
    return entries.pool[place]! ^ cellWords[entries.cellAt(place) * CELL_WORDS]!;
  }

  /** Moves an entry. @returns its new place */
  move(place: number, lat: number, lng: number, slotAndTakes: number, atMs: number): number {
    const cellRow = this.cells.rowOf(lat);
    const column = this.cells.columnOf(cellRow, lng);
    const cell = this.entries.cellAt(place) * CELL_WORDS;
    if (this.cellWords[cell] !== cellRow || this.cellWords[cell + 1] !== column) {
      this.remove(place);
      return this.putInto(cellRow, column, lat, lng, slotAndTakes, atMs);
    }
    this.entries.write(place, lat, lng, slotAndTakes, atMs);
    return place;
  }

  /** Takes an entry out. */
  remove(place: number): void {
    const cell = this.entries.cellAt(place);
    const at = cell * CELL_WORDS;
    const count = this.cellWords[at + 3]!;
    const first = this.cellWords[at + 2]!;
    const last = first * CHUNK_WORDS + ((count - 1) % CHUNK_ENTRIES) * ENTRY_WORDS;
    if (last !== place) {
      const { pool } = this.entries;
      const slotAndTakes = pool[last + entry.slotAndTakes]!;
      this.entries.write(place, pool[last]!, pool[last + entry.lng]!, slotAndTakes, pool[last + entry.at]!);
      this.moved(slotAndTakes >>> 8, place);
    }
    this.size -= 1;
    this.squares -= 2 * count - 1;
    this.cellWords[at + 3] = count - 1;
    if (count % CHUNK_ENTRIES !== 1) return;
    this.cellWords[at + 2] = this.entries.dropChunk(first);
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
   * Calls `look` with the place of each entry in the cells that a box touches, which begins at a south-western corner in
   * degrees and goes to a latitude and `width` degrees eastward. Does nothing and answers false for more than `limit` cells.
   */
  eachInBox(
    corner: Point,
    { lat, width }: { readonly lat: number; readonly width: number },
    limit: number,
    look: (place: number) => void,
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
      for (let e = 0; e < count; e++) look(place + e * ENTRY_WORDS);
    });
    return true;
  }

  private collect(row: number, column: number, cells: number[]): void {
    const cell = this.find(row, column);
    if (cell !== none) cells.push(cell);
  }

  /**
   * All chunks are read before any is looked at: one does not depend on another, so the processor fetches many at a time,
   * where one by one it would wait for each.
   */
  private eachOf(cells: readonly number[], look: Look): void {
    const { cellWords } = this;
    const { pool, nextOfChunk } = this.entries;
    const places: number[] = [];
    const counts: number[] = [];
    let sum = 0;
    for (const cell of cells) {
      let count = ((cellWords[cell * CELL_WORDS + 3]! - 1) % CHUNK_ENTRIES) + 1;
      for (let chunk = cellWords[cell * CELL_WORDS + 2]!; chunk !== none; chunk = nextOfChunk[chunk]!) {
        const place = chunk * CHUNK_WORDS;
        sum ^= pool[place]! ^ pool[place + CHUNK_WORDS / 2]!;
        places.push(place);
        counts.push(count);
        count = CHUNK_ENTRIES;
      }
    }
    this.reached = sum;
    for (let n = 0; n < places.length; n++) look(places[n]!, counts[n]!);
  }

  private putInto(
    cellRow: number,
    column: number,
    lat: number,
    lng: number,
    slotAndTakes: number,
    atMs: number,
  ): number {
    let cell = this.find(cellRow, column);
    if (cell === none) cell = this.newCell(cellRow, column);
    const at = cell * CELL_WORDS;
    const count = this.cellWords[at + 3]!;
    if (count % CHUNK_ENTRIES === 0)
      this.cellWords[at + 2] = this.entries.newChunk(cell, this.cellWords[at + 2]!);
    const place = this.cellWords[at + 2]! * CHUNK_WORDS + (count % CHUNK_ENTRIES) * ENTRY_WORDS;
    this.cellWords[at + 3] = count + 1;
    this.size += 1;
    this.squares += 2 * count + 1;
    this.entries.write(place, lat, lng, slotAndTakes, atMs);
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
}
