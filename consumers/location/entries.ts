import { DEGREE, type Point } from '../../domain/geo';
import { longer, widened } from './slotTable';

/**
 * Places in an entry, in words: where it is, the slot (24 bits) above what the driver takes (8 bits), and when the driver
 * was there, in milliseconds since 1970, of which the low 32 bits are kept: enough for what is weeks old.
 */
export const entry = { lat: 0, lng: 1, slotAndTakes: 2, at: 3 } as const;
export const ENTRY_WORDS = 4;

/** Entries of a chunk: 128 bytes, two lines of the processor's cache, which it fetches together. */
export const CHUNK_ENTRIES = 8;
export const CHUNK_WORDS = CHUNK_ENTRIES * ENTRY_WORDS;
export const CHUNK_SHIFT = Math.log2(CHUNK_WORDS);
export const none = -1;

/**
 * Entries in chunks of one cell each, each chunk with the next of its cell. An entry's place is its first word in `pool`,
 * until entries are put in, moved or taken out.
 */
export class Entries {
  pool: Int32Array = new Int32Array(64 * CHUNK_WORDS);
  cellOfChunk: Int32Array = new Int32Array(64);
  /** The next chunk of the same cell, or of those that are free; −1: none. */
  nextOfChunk: Int32Array = new Int32Array(64);
  private chunks = 0;
  private freeChunk = none;

  get bytes(): number {
    return this.pool.byteLength + this.cellOfChunk.byteLength + this.nextOfChunk.byteLength;
  }

  cellAt(place: number): number {
    return this.cellOfChunk[place >>> CHUNK_SHIFT]!;
  }

  slotAt(place: number): number {
    return this.pool[place + entry.slotAndTakes]! >>> 8;
  }

  /** Of `Takes`. */
  takesAt(place: number): number {
    return this.pool[place + entry.slotAndTakes]! & 0xff;
  }

  pointAt(place: number): Point {
    return { lat: this.pool[place]! / DEGREE, lng: this.pool[place + entry.lng]! / DEGREE };
  }

  /** Milliseconds since a driver was there; 0 where that is yet to come. */
  ageAt(place: number, nowMs: number): number {
    return Math.max(0, ((nowMs | 0) - this.pool[place + entry.at]!) | 0);
  }

  write(place: number, lat: number, lng: number, slotAndTakes: number, atMs: number): void {
    const { pool } = this;
    pool[place] = lat;
    pool[place + entry.lng] = lng;
    pool[place + entry.slotAndTakes] = slotAndTakes;
    pool[place + entry.at] = atMs;
  }

  /** A chunk for a cell, before its others. */
  newChunk(cell: number, next: number): number {
    let chunk = this.freeChunk;
    if (chunk !== none) this.freeChunk = this.nextOfChunk[chunk]!;
    else {
      chunk = this.chunks++;
      if (this.chunks * CHUNK_WORDS > this.pool.length) {
        this.pool = widened(this.pool, longer(this.chunks) * CHUNK_WORDS);
        this.cellOfChunk = widened(this.cellOfChunk, longer(this.chunks));
        this.nextOfChunk = widened(this.nextOfChunk, longer(this.chunks));
      }
    }
    this.nextOfChunk[chunk] = next;
    this.cellOfChunk[chunk] = cell;
    return chunk;
  }

  /** Gives the first chunk of a cell back. @returns the next one */
  dropChunk(chunk: number): number {
    const next = this.nextOfChunk[chunk]!;
    this.nextOfChunk[chunk] = this.freeChunk;
    this.freeChunk = chunk;
    return next;
  }
}
