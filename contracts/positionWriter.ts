import { DEGREE } from '../domain/geo';
import { writeDriverKey } from './driverKey';
import {
  HEADER_WORDS,
  MAX_POSITIONS,
  RECORD_MAGIC,
  ROW_WORDS,
  row,
  Takes,
  type DriverPosition,
  type PositionRows,
} from './positionRecord';

const wholeWord = 2 ** 32;
const rowsAtFirst = 16;

/** Puts positions into a record, one after another. */
export class PositionWriter {
  private words = new Int32Array(HEADER_WORDS + rowsAtFirst * ROW_WORDS);
  private longIds: string[] = [];
  private rows = 0;

  /**
   * @param baseMs when the record is made, in milliseconds since 1970: nobody was anywhere later. What is said to be
   * later counts as of then, and what is older than 49 days as 49 days old.
   */
  constructor(private readonly baseMs: number) {}

  /** How many positions it has. */
  get count(): number {
    return this.rows;
  }

  /** A position that contracts/positions.ts would take. */
  add({ driverId, lat, lng, sequence, atMs, takes = Takes.everything }: DriverPosition): void {
    const at = this.room();
    if (!writeDriverKey(driverId, this.words, at)) this.longIds.push(driverId);
    this.words[at + row.lat] = Math.round(lat * DEGREE);
    this.words[at + row.lng] = Math.round(lng * DEGREE);
    this.words[at + row.sequenceLow] = sequence;
    this.words[at + row.sequenceHighAndTakes] = Math.floor(sequence / wholeWord) | (takes << 24);
    this.words[at + row.ageMs] = this.ageOf(atMs);
  }

  /** A row of another record, that was checked. `longId` is its id where that stands elsewhere. */
  addRow({ words, baseMs }: PositionRows, index: number, longId?: string): void {
    const at = this.room();
    const from = HEADER_WORDS + index * ROW_WORDS;
    for (let word = 0; word < ROW_WORDS; word++) this.words[at + word] = words[from + word]!;
    this.words[at + row.ageMs] = this.ageOf(baseMs - (words[from + row.ageMs]! >>> 0));
    if (longId !== undefined) this.longIds.push(longId);
  }

  /** The record of what was added: at least one position. */
  finish(): Uint8Array<ArrayBuffer> {
    const rowsEnd = (HEADER_WORDS + this.rows * ROW_WORDS) * 4;
    const bytes = new Uint8Array(this.longIds.reduce((sum, id) => sum + 1 + id.length, rowsEnd));
    this.words[0] = RECORD_MAGIC;
    this.words[1] = this.rows;
    this.words[2] = this.baseMs;
    this.words[3] = Math.floor(this.baseMs / wholeWord);
    bytes.set(new Uint8Array(this.words.buffer, 0, rowsEnd));
    let at = rowsEnd;
    for (const id of this.longIds) {
      bytes[at++] = id.length;
      for (let n = 0; n < id.length; n++) bytes[at++] = id.charCodeAt(n);
    }
    return bytes;
  }

  private ageOf(atMs: number): number {
    return Math.min(Math.max(0, this.baseMs - atMs), this.baseMs, wholeWord - 1);
  }

  private room(): number {
    if (this.rows === MAX_POSITIONS)
      throw new Error(`impossible: more than ${MAX_POSITIONS} positions in a record`);
    const at = HEADER_WORDS + this.rows++ * ROW_WORDS;
    if (at + ROW_WORDS > this.words.length) {
      const wider = new Int32Array(this.words.length * 2);
      wider.set(this.words);
      this.words = wider;
    }
    return at;
  }
}
