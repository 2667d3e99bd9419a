import {
  HEADER_WORDS,
  ROW_WORDS,
  row,
  SEQUENCE_HIGH,
  type PositionRows,
} from '../../contracts/positionRecord';
import { isKeyElsewhere } from '../../contracts/driverKey';
import { MAX_PARTITIONS, SLOT_WORDS, slotWord } from './drivers';
import type { Fleet } from './fleet';
import { LookAhead } from './lookAhead';
import { BLOCK } from './prefetch';

/** What became of positions. */
export interface Applied {
  /** Positions that told something new. */
  applied: number;
  /** Positions older than what was known. */
  outdated: number;
  /** Positions of drivers who had fallen silent since. */
  silent: number;
  /** Positions of new drivers for whom there was no room. */
  refused: number;
}

/** Where positions come from, and as of when they are judged. */
export interface Source {
  readonly partition: number;
  /** When the record was sent, in milliseconds since 1970: nobody was anywhere later. */
  readonly sentMs: number;
  /** Who was last heard of before is silent. */
  readonly oldestMs: number;
}

const none = -1;

/** Puts positions into a fleet, block by block. */
export class Intake {
  private readonly ahead: LookAhead;

  constructor(private readonly fleet: Fleet) {
    this.ahead = new LookAhead(fleet);
  }

  /** Adds to `counts` what became of them. */
  take(rows: PositionRows, { partition, sentMs, oldestMs }: Source, counts: Applied): void {
    if (partition >= MAX_PARTITIONS) throw new RangeError(`impossible: partition ${partition}`);
    const { count } = rows;
    let elsewhere = 0;
    for (let first = 0; first < count; first += BLOCK) {
      const next = Math.min(count, first + BLOCK);
      this.ahead.read(rows.words, first, next - first);
      elsewhere = this.applyBlock(rows, { first, next, elsewhere }, { partition, sentMs, oldestMs }, counts);
    }
  }

  /** @returns how many ids that stand elsewhere have been met so far */
  private applyBlock(
    { words, baseMs, longIds }: PositionRows,
    { first, next, elsewhere }: { first: number; next: number; elsewhere: number },
    { partition, sentMs, oldestMs }: Source,
    counts: Applied,
  ): number {
    const { drivers } = this.fleet;
    for (let i = first, at = HEADER_WORDS + first * ROW_WORDS; i < next; i++, at += ROW_WORDS) {
      const longId = longIds.length > 0 && isKeyElsewhere(words, at) ? longIds[elsewhere++] : undefined;
      const atMs = Math.min(baseMs - (words[at + row.ageMs]! >>> 0), sentMs);
      if (atMs < oldestMs) {
        counts.silent++;
        continue;
      }
      const found = longId === undefined ? this.ahead.slots[i - first]! : none;
      // Who was not known before the block may be by now.
      const slot = found >= 0 ? found : drivers.find(words, at, longId);
      if (slot >= 0 && !isNewer(words, at, drivers.words, slot * SLOT_WORDS)) counts.outdated++;
      else if (slot >= 0) {
        this.fleet.move(slot, words, at, partition, atMs);
        counts.applied++;
      } else if (this.fleet.add(words, at, longId, partition, atMs)) counts.applied++;
      else counts.refused++;
    }
    return elsewhere;
  }
}

/** Whether a row's sequence is above that of a slot: by their high bits, then by their low words, which have no sign. */
function isNewer(rows: Int32Array, at: number, slots: Int32Array, word: number): boolean {
  const high = rows[at + row.sequenceHighAndTakes]! & SEQUENCE_HIGH;
  const known = slots[word + slotWord.sequenceHighAndPartition]! & SEQUENCE_HIGH;
  return high !== known
    ? high > known
    : rows[at + row.sequenceLow]! >>> 0 > slots[word + slotWord.sequenceLow]! >>> 0;
}
