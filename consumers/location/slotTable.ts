/** Bits of an entry that are the slot's; the eight below are of the hash. */
export const MAX_SLOTS = 2 ** 24 - 1;

/**
 * A hash table with open addressing of slots whose keys lie elsewhere: an entry is four bytes, the slot's number + 1 and
 * eight bits of the hash, so that a key is looked at for nothing once in 256 times. At most three of four are taken.
 * Whoever looks a key up compares those that `first` and `next` lead to.
 */
export class SlotTable {
  entries = new Int32Array(64);
  private mask = 63;
  private taken = 0;

  /** @param hashOf the hash of the key that a slot has now */
  constructor(private readonly hashOf: (slot: number) => number) {}

  get bytes(): number {
    return this.entries.byteLength;
  }

  /** Where looking for a key of this hash begins. */
  homeOf(hash: number): number {
    return hash & this.mask;
  }

  /** Where the first slot is whose key may be of this hash, or an entry without a slot: there is none. */
  first(hash: number): number {
    return this.seek(this.homeOf(hash), hash);
  }

  /** The same behind a place. */
  next(place: number, hash: number): number {
    return this.seek((place + 1) & this.mask, hash);
  }

  /** The slot at a place; −1: none. */
  slotAt(place: number): number {
    return (this.entries[place]! >>> 8) - 1;
  }

  put(slot: number, hash: number): void {
    if ((this.taken + 1) * 4 > this.entries.length * 3) this.widen();
    this.taken += 1;
    this.place(slot, hash);
  }

  /** Takes a slot out that is in; its key must still be there. What was put behind it moves up. */
  remove(slot: number): void {
    let hole = this.hashOf(slot) & this.mask;
    while (this.entries[hole]! >>> 8 !== slot + 1) hole = (hole + 1) & this.mask;
    this.taken -= 1;
    for (let at = (hole + 1) & this.mask; this.entries[at] !== 0; at = (at + 1) & this.mask) {
      const home = this.hashOf((this.entries[at]! >>> 8) - 1) & this.mask;
      // It may move up unless its home lies behind the hole.
      if (((at - home) & this.mask) < ((at - hole) & this.mask)) continue;
      this.entries[hole] = this.entries[at]!;
      hole = at;
    }
    this.entries[hole] = 0;
  }

  private seek(place: number, hash: number): number {
    const { entries, mask } = this;
    const tag = hash >>> 24;
    for (; ; place = (place + 1) & mask) {
      const found = entries[place]!;
      if (found === 0 || (found & 0xff) === tag) return place;
    }
  }

  private place(slot: number, hash: number): void {
    let at = hash & this.mask;
    while (this.entries[at] !== 0) at = (at + 1) & this.mask;
    this.entries[at] = ((slot + 1) << 8) | (hash >>> 24);
  }

  private widen(): void {
    const before = this.entries;
    this.entries = new Int32Array(before.length * 2);
    this.mask = this.entries.length - 1;
    for (const entry of before)
      if (entry !== 0) this.place((entry >>> 8) - 1, this.hashOf((entry >>> 8) - 1));
  }
}

/** Four words into 32 bits, each of which depends on all of them (the finalizer of MurmurHash3). */
export function hashOfWords(a: number, b: number, c: number, d: number): number {
  let hash =
    Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** The array's values in one that is longer. */
export function widened(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}

/** A little longer rather than twice as long: what is not used counts as well. */
export const longer = (length: number): number => Math.ceil(length * 1.0625) + 16;
