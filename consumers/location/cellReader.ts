import type { Box } from '../../domain/cells';
import { CHUNK_ENTRIES, CHUNK_WORDS, none } from './entries';
import { CELL_WORDS, cellWord, hashOfCell, type Grid } from './grid';
import { BLOCK, prefetch } from './prefetch';

/** What is done with entries that lie in a row: the place of the first, and how many they are. */
export type Look = (place: number, count: number) => void;

/** Chunks that are read together. */
const CHUNKS = 4 * BLOCK;

/**
 * Reads the cells of a box. Each step, from where a cell is to its words, from these to its chunks and to their entries, is
 * made for all the cells of a block (see `prefetch`).
 */
export class CellReader {
  private readonly rows = new Int32Array(BLOCK);
  private readonly columns = new Int32Array(BLOCK);
  private readonly hashes = new Int32Array(BLOCK);
  private readonly places = new Int32Array(BLOCK);
  private readonly chunks = new Int32Array(BLOCK);
  private readonly counts = new Int32Array(BLOCK);
  private readonly readChunks = new Int32Array(CHUNKS);
  private readonly readCounts = new Int32Array(CHUNKS);

  constructor(readonly grid: Grid) {}

  /** How many cells a box has, and how many entries are in them. */
  countIn(box: Box): { readonly cells: number; readonly entries: number } {
    let [cells, entries] = [0, 0];
    this.eachBlock(box, (asked, found) => {
      cells += asked;
      for (let n = 0; n < found; n++) entries += this.grid.cellWords[this.places[n]! + cellWord.count]!;
    });
    return { cells, entries };
  }

  /** Calls `look`, which neither reads here nor changes the grid, with the stretches of entries in the cells of a box. */
  eachIn(box: Box, look: Look): void {
    this.eachBlock(box, (_asked, found) => this.lookInto(found, look));
  }

  /** Calls `use` with how many cells were asked for, and how many of these there are: `places` says where their words are. */
  private eachBlock(box: Box, use: (asked: number, found: number) => void): void {
    const { rows, columns, hashes, places, grid } = this;
    let asked = 0;
    grid.cells.eachIn(box, (row, column) => {
      rows[asked] = row;
      columns[asked] = column;
      hashes[asked] = hashOfCell(row, column);
      places[asked] = grid.table.homeOf(hashes[asked]!);
      if (++asked < BLOCK) return;
      use(asked, this.find(asked));
      asked = 0;
    });
    use(asked, this.find(asked));
  }

  private find(asked: number): number {
    const { rows, columns, hashes, places, grid } = this;
    prefetch(grid.table.entries, places, asked);
    for (let n = 0; n < asked; n++) places[n] = grid.guessAt(hashes[n]!);
    prefetch(grid.cellWords, places, asked);
    let found = 0;
    for (let n = 0; n < asked; n++) {
      const cell = grid.find(rows[n]!, columns[n]!, hashes[n]!);
      if (cell !== none) places[found++] = cell * CELL_WORDS;
    }
    return found;
  }

  private lookInto(found: number, look: Look): void {
    const { places, chunks, counts, readChunks, readCounts } = this;
    const { cellWords } = this.grid;
    const { nextOfChunk } = this.grid.entries;
    for (let n = 0; n < found; n++) {
      chunks[n] = cellWords[places[n]! + cellWord.firstChunk]!;
      counts[n] = ((cellWords[places[n]! + cellWord.count]! - 1) % CHUNK_ENTRIES) + 1;
    }
    let gathered = 0;
    for (let going = found; going > 0;) {
      if (gathered + going > CHUNKS) {
        this.lookAt(gathered, look);
        gathered = 0;
      }
      let goingOn = 0;
      for (let n = 0; n < going; n++) {
        readChunks[gathered] = chunks[n]! * CHUNK_WORDS;
        readCounts[gathered++] = counts[n]!;
        const next = nextOfChunk[chunks[n]!]!;
        if (next === none) continue;
        chunks[goingOn] = next;
        counts[goingOn++] = CHUNK_ENTRIES;
      }
      going = goingOn;
    }
    this.lookAt(gathered, look);
  }

  private lookAt(gathered: number, look: Look): void {
    const { readChunks, readCounts } = this;
    const { pool } = this.grid.entries;
    prefetch(pool, readChunks, gathered);
    prefetch(pool, readChunks, gathered, CHUNK_WORDS / 2);
    prefetch(pool, readChunks, gathered, CHUNK_WORDS - 1);
    for (let n = 0; n < gathered; n++) look(readChunks[n]!, readCounts[n]!);
  }
}
