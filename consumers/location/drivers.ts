import {
  driverIdOfKey,
  driverIdsOfKeys,
  isKeyElsewhere,
  KEY_WORDS,
  writeDriverKey,
} from '../../contracts/driverKey';
import { SEQUENCE_HIGH } from '../../contracts/positionRecord';
import { BLOCK, prefetch } from './prefetch';
import { hashOfWords, longer, MAX_SLOTS, SlotTable, widened } from './slotTable';

export const SLOT_WORDS = 7;
/**
 * Places in a slot, in words: the driver's key (4), the newest sequence's low 32 bits, its high 21 bits below the
 * partition it came from (11 bits), and the place of the grid's entry (−1: the slot is free).
 */
export const slotWord = { key: 0, sequenceLow: 4, sequenceHighAndPartition: 5, place: 6 } as const;
export const PARTITION_SHIFT = 21;
/** More partitions than that a topic may not have. */
export const MAX_PARTITIONS = 2 ** 11;
const none = -1;

/** Drivers' ids to slots, and what is known of a driver beside the place, 28 bytes a slot. */
export class Drivers {
  words: Int32Array = new Int32Array(64 * SLOT_WORDS);
  readonly table = new SlotTable((slot) => this.hashOf(slot));
  /** Ids that are neither UUIDs nor short. */
  private readonly slotsOfLongIds = new Map<string, number>();
  private readonly longIds = new Map<number, string>();
  /** Words of slots that are read together. */
  private readonly slotsAt = new Int32Array(BLOCK);
  private slotsEver = 0;
  private freeSlot = none;
  private taken = 0;

  constructor(readonly maxDrivers: number) {
    if (maxDrivers > MAX_SLOTS) throw new RangeError(`at most ${MAX_SLOTS} drivers`);
  }

  get size(): number {
    return this.taken;
  }

  /** Slots that have ever been used: those of drivers who are known lie below. */
  get slots(): number {
    return this.slotsEver;
  }

  get bytes(): number {
    return this.words.byteLength + this.table.bytes;
  }

  /** The slot of a key; −1 for one nobody has heard of. `longId` is the id where it stands elsewhere. */
  find(key: Int32Array, at: number, longId?: string): number {
    if (longId !== undefined) return this.slotsOfLongIds.get(longId) ?? none;
    return this.findHashed(key, at, slotHashOf(key, at));
  }

  /** The same for a key whose hash is known. */
  findHashed(key: Int32Array, at: number, hash: number): number {
    const { table } = this;
    for (let place = table.first(hash); ; place = table.next(place, hash)) {
      const slot = table.slotAt(place);
      if (slot < 0 || this.isAt(slot, key, at)) return slot;
    }
  }

  /** Whether a slot is that of a key. */
  isAt(slot: number, key: Int32Array, at: number): boolean {
    const word = slot * SLOT_WORDS;
    const { words } = this;
    return (
      words[word] === key[at] &&
      words[word + 1] === key[at + 1] &&
      words[word + 2] === key[at + 2] &&
      words[word + 3] === key[at + 3]
    );
  }

  /** The slot of an id; −1 for one nobody has heard of. */
  findId(id: string): number {
    const key = new Int32Array(KEY_WORDS);
    return writeDriverKey(id, key, 0) ? this.find(key, 0) : this.find(key, 0, id);
  }

  /** A slot for a driver who has none; −1 when there is no room. Its place is the caller's to set. */
  add(key: Int32Array, at: number, longId?: string): number {
    if (this.taken >= this.maxDrivers) return none;
    let slot = this.freeSlot;
    if (slot !== none) this.freeSlot = this.words[slot * SLOT_WORDS]!;
    else {
      slot = this.slotsEver++;
      if (this.slotsEver * SLOT_WORDS > this.words.length)
        this.words = widened(this.words, Math.min(longer(this.slotsEver), this.maxDrivers) * SLOT_WORDS);
    }
    this.taken += 1;
    const word = slot * SLOT_WORDS;
    for (let n = 0; n < KEY_WORDS; n++) this.words[word + n] = key[at + n]!;
    if (longId === undefined) this.table.put(slot, this.hashOf(slot));
    else {
      this.slotsOfLongIds.set(longId, slot);
      this.longIds.set(slot, longId);
    }
    return slot;
  }

  remove(slot: number): void {
    const word = slot * SLOT_WORDS;
    const longId = this.longIds.get(slot);
    if (longId === undefined) this.table.remove(slot);
    else {
      this.longIds.delete(slot);
      this.slotsOfLongIds.delete(longId);
    }
    this.words[word] = this.freeSlot;
    this.words[word + slotWord.place] = none;
    this.freeSlot = slot;
    this.taken -= 1;
  }

  idOf(slot: number): string {
    const word = slot * SLOT_WORDS;
    return isKeyElsewhere(this.words, word) ? this.longIds.get(slot)! : driverIdOfKey(this.words, word);
  }

  /** The ids of slots, in their order. */
  idsOf(slots: readonly number[]): string[] {
    const ids: string[] = [];
    for (let first = 0; first < slots.length; first += BLOCK) {
      const count = Math.min(BLOCK, slots.length - first);
      for (let n = 0; n < count; n++) this.slotsAt[n] = slots[first + n]! * SLOT_WORDS;
      prefetch(this.words, this.slotsAt, count);
      prefetch(this.words, this.slotsAt, count, slotWord.place);
      driverIdsOfKeys(this.words, this.slotsAt, count, ids);
    }
    if (this.longIds.size > 0) slots.forEach((slot, n) => (ids[n] = this.longIds.get(slot) ?? ids[n]!));
    return ids;
  }

  /** The place of a driver's entry in the grid; −1 where the slot is free. */
  placeOf(slot: number): number {
    return this.words[slot * SLOT_WORDS + slotWord.place]!;
  }

  /** The newest that was told. */
  sequenceOf(slot: number): number {
    const word = slot * SLOT_WORDS;
    const high = this.words[word + slotWord.sequenceHighAndPartition]! & SEQUENCE_HIGH;
    return (this.words[word + slotWord.sequenceLow]! >>> 0) + high * 2 ** 32;
  }

  private hashOf(slot: number): number {
    return slotHashOf(this.words, slot * SLOT_WORDS);
  }
}

/** The hash by which a slot is found, of the key at a place. */
export const slotHashOf = (words: Int32Array, at: number): number =>
  hashOfWords(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
