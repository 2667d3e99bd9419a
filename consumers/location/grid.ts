import { Cells } from '../../domain/cells';
import { CHUNK_ENTRIES, CHUNK_WORDS, Entries, entry, ENTRY_WORDS, none } from './entries';
import { hashOfWords, longer, SlotTable, widened } from './slotTable';

export const CELL_WORDS = 4;
/** Places in a cell, in words; all its chunks but the first are full. */
export const cellWord = { row: 0, column: 1, firstChunk: 2, count: 3 } as const;

/**
 * Entries by the cell in which they lie. Those of a cell lie together in chunks, so a search reads them in a row; an
 * entry that goes leaves its place to the cell's last one, so putting in and taking out are O(1) wherever in the world.
 */
export class Grid {
  readonly entries = new Entries();
  readonly cells: Cells;
  cellWords: Int32Array = new Int32Array(64 * CELL_WORDS);
  private cellsEver = 0;
  private freeCell = none;
  readonly table = new SlotTable((cell) =>
    hashOfCell(this.cellWords[cell * CELL_WORDS]!, this.cellWords[cell * CELL_WORDS + cellWord.column]!),
  );
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

  /** The place of the last entry of a cell that has some, in its first chunk, where others may follow. */
  lastPlaceOf(cellAt: number): number {
    return (
      this.cellWords[cellAt + cellWord.firstChunk]! * CHUNK_WORDS +
      ((this.cellWords[cellAt + cellWord.count]! - 1) % CHUNK_ENTRIES) * ENTRY_WORDS
    );
  }

  /** The place behind the last entry of a cell whose first chunk has room. */
  placeBehind(cellAt: number): number {
    return (
      this.cellWords[cellAt + cellWord.firstChunk]! * CHUNK_WORDS +
      (this.cellWords[cellAt + cellWord.count]! % CHUNK_ENTRIES) * ENTRY_WORDS
    );
  }

  /** Moves an entry. @returns its new place */
  move(place: number, lat: number, lng: number, slotAndTakes: number, atMs: number): number {
    const cellRow = this.cells.rowOf(lat);
    const column = this.cells.columnOf(cellRow, lng);
    const cell = this.entries.cellAt(place) * CELL_WORDS;
    if (this.cellWords[cell] !== cellRow || this.cellWords[cell + cellWord.column] !== column) {
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
    const count = this.cellWords[at + cellWord.count]!;
    const last = this.lastPlaceOf(at);
    if (last !== place) {
      const { pool } = this.entries;
      const slotAndTakes = pool[last + entry.slotAndTakes]!;
      this.entries.write(place, pool[last]!, pool[last + entry.lng]!, slotAndTakes, pool[last + entry.at]!);
      this.moved(slotAndTakes >>> 8, place);
    }
    this.size -= 1;
    this.squares -= 2 * count - 1;
    this.cellWords[at + cellWord.count] = count - 1;
    if (count % CHUNK_ENTRIES !== 1) return;
    this.cellWords[at + cellWord.firstChunk] = this.entries.dropChunk(
      this.cellWords[at + cellWord.firstChunk]!,
    );
    if (count !== 1) return;
    this.table.remove(cell);
    this.cellWords[at] = this.freeCell;
    this.freeCell = cell;
  }

  private putInto(
    cellRow: number,
    column: number,
    lat: number,
    lng: number,
    slotAndTakes: number,
    atMs: number,
  ): number {
    let cell = this.find(cellRow, column, hashOfCell(cellRow, column));
    if (cell === none) cell = this.newCell(cellRow, column);
    const at = cell * CELL_WORDS;
    const count = this.cellWords[at + cellWord.count]!;
    if (count % CHUNK_ENTRIES === 0)
      this.cellWords[at + cellWord.firstChunk] = this.entries.newChunk(
        cell,
        this.cellWords[at + cellWord.firstChunk]!,
      );
    const place = this.placeBehind(at);
    this.cellWords[at + cellWord.count] = count + 1;
    this.size += 1;
    this.squares += 2 * count + 1;
    this.entries.write(place, lat, lng, slotAndTakes, atMs);
    return place;
  }

  /** Where the words of the cell are that may be of this hash; where there is none those of any. */
  guessAt(hash: number): number {
    return Math.max(0, this.table.slotAt(this.table.first(hash))) * CELL_WORDS;
  }

  /** A cell by its row and column, of which the hash is `hash`; −1 where nobody is. */
  find(cellRow: number, column: number, hash: number): number {
    const { table } = this;
    for (let place = table.first(hash); ; place = table.next(place, hash)) {
      const cell = table.slotAt(place);
      if (cell < 0 || this.isAt(cell, cellRow, column)) return cell;
    }
  }

  private isAt(cell: number, cellRow: number, column: number): boolean {
    const at = cell * CELL_WORDS;
    return this.cellWords[at] === cellRow && this.cellWords[at + cellWord.column] === column;
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
    this.cellWords[at + cellWord.column] = column;
    this.cellWords[at + cellWord.firstChunk] = none;
    this.cellWords[at + cellWord.count] = 0;
    this.table.put(cell, hashOfCell(cellRow, column));
    return cell;
  }
}

/** The hash of a cell's place in the grid. */
export const hashOfCell = (cellRow: number, column: number): number => hashOfWords(cellRow, column, 0, 0);
