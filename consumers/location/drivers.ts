import { driverIdOfKey, isKeyElsewhere, KEY_WORDS, writeDriverKey } from '../../contracts/driverKey';
import { SEQUENCE_HIGH } from '../../contracts/positionRecord';
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
  private readonly table = new SlotTable((slot) => this.hashOf(slot));
  /** Ids that are neither UUIDs nor short. */
  private readonly slotsOfLongIds = new Map<string, number>();
  private readonly longIds = new Map<number, string>();
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
    const k0 = key[at]!;
    const k1 = key[at + 1]!;
    const k2 = key[at + 2]!;
    const k3 = key[at + 3]!;
    const hash = hashOfWords(k0, k1, k2, k3);
    const tag = hash >>> 24;
    const { words } = this;
    const { entries, mask } = this.table;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const found = entries[place]!;
      if (found === 0) return none;
      if ((found & 0xff) !== tag) continue;
      const slot = (found >>> 8) - 1;
      const word = slot * SLOT_WORDS;
      if (words[word] === k0 && words[word + 1] === k1 && words[word + 2] === k2 && words[word + 3] === k3)
        return slot;
    }
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
    const word = slot * SLOT_WORDS;
    const { words } = this;
    return hashOfWords(words[word]!, words[word + 1]!, words[word + 2]!, words[word + 3]!);
  }
}
