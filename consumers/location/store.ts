import { distanceMeters, type Point } from '../../domain/geo';
import { Cells } from './cells';
import { Nearest } from './nearest';
import { SeenCells } from './seenCells';

/** Where a driver was, as told by a position of theirs. */
export interface PositionUpdate extends Point {
  readonly driverId: string;
  /** Rises with every position of the driver; the newest wins. */
  readonly sequence: number;
  /** When the driver was there: milliseconds since 1970. */
  readonly atMs: number;
}

export interface NearestQuery extends Point {
  readonly radiusMeters: number;
  readonly limit: number;
  /** Older positions are as good as none. */
  readonly maxAgeMs: number;
  readonly nowMs: number;
}

export interface NearbyDriver extends Point {
  readonly driverId: string;
  readonly distanceMeters: number;
  readonly ageMs: number;
}

export type Applied = 'moved' | 'added' | 'outdated' | 'full';

export interface StoreOptions {
  readonly cellMeters?: number;
  /** Memory is bounded by it: more drivers than that are refused until some have fallen silent. */
  readonly maxDrivers?: number;
}

const none = -1;

/**
 * The newest position of every driver, in memory. Typed arrays hold one slot a driver, slots of one cell are
 * a doubly linked list, and lists start in a hash table of cells: a move is O(1) wherever in the world.
 */
export class PositionStore {
  private readonly cells: Cells;
  private readonly maxDrivers: number;
  private readonly slots = new Map<string, number>();
  private readonly ids: (string | undefined)[] = [];
  private readonly free: number[] = [];
  private capacity = 0;
  private lat = new Float64Array(0);
  private lng = new Float64Array(0);
  private sequence = new Float64Array(0);
  private atMs = new Float64Array(0);
  private row = new Int32Array(0);
  private column = new Int32Array(0);
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  private heads = new Int32Array(0);

  constructor({ cellMeters = 500, maxDrivers = 1_000_000 }: StoreOptions = {}) {
    this.cells = new Cells(cellMeters);
    this.maxDrivers = maxDrivers;
    this.grow(1_024);
  }

  get size(): number {
    return this.slots.size;
  }

  /** Takes a position in unless a newer one is known. Late and doubled ones change nothing. */
  apply(update: PositionUpdate): Applied {
    const known = this.slots.get(update.driverId);
    if (known !== undefined && update.sequence <= this.sequence[known]!) return 'outdated';
    if (known === undefined && this.size >= this.maxDrivers) return 'full';
    const slot = known ?? this.take(update.driverId);
    this.lat[slot] = update.lat;
    this.lng[slot] = update.lng;
    this.sequence[slot] = update.sequence;
    this.atMs[slot] = update.atMs;
    const row = this.cells.rowOf(update.lat);
    const column = this.cells.columnOf(row, update.lng);
    if (known === undefined || row !== this.row[slot] || column !== this.column[slot]) {
      if (known !== undefined) this.unlink(slot);
      this.link(slot, row, column);
    }
    return known === undefined ? 'added' : 'moved';
  }

  /**
   * The nearest drivers by great-circle distance, nearest first; equally near ones by id. The search grows a
   * circle and looks only at cells it has not seen. It stops when `limit` drivers lie within the circle:
   * whatever was not seen lies outside it, so nothing nearer can follow.
   */
  nearest(query: NearestQuery): NearbyDriver[] {
    const found = new Nearest(query.limit);
    const oldestMs = query.nowMs - query.maxAgeMs;
    const look = (slot: number): void => {
      if (this.atMs[slot]! < oldestMs) return;
      const distance = distanceMeters(query, { lat: this.lat[slot]!, lng: this.lng[slot]! });
      if (distance <= query.radiusMeters) found.offer(this.ids[slot]!, distance, slot);
    };
    const seen = new SeenCells(this.cells, query);
    for (let radius = this.cells.cellMeters / 2; ; radius *= 2) {
      const circle = Math.min(radius, query.radiusMeters);
      // A circle with more cells than there are drivers: it is cheaper to look at each driver once.
      if (seen.touchesMoreThan(64 + this.size, circle)) {
        found.clear();
        for (const slot of this.slots.values()) look(slot);
        break;
      }
      seen.widenTo(circle, (row, column) => this.eachInCell(row, column, look));
      if (circle >= query.radiusMeters || found.worstDistance() <= circle) break;
    }
    return found.sorted().map(({ id, distance, slot }) => ({
      driverId: id,
      lat: this.lat[slot]!,
      lng: this.lng[slot]!,
      distanceMeters: distance,
      ageMs: Math.max(0, query.nowMs - this.atMs[slot]!),
    }));
  }

  /** Where a driver was last, and how long ago; null for one nobody has heard of. */
  find(driverId: string, nowMs: number): (Point & { readonly ageMs: number }) | null {
    const slot = this.slots.get(driverId);
    if (slot === undefined) return null;
    const ageMs = Math.max(0, nowMs - this.atMs[slot]!);
    return { lat: this.lat[slot]!, lng: this.lng[slot]!, ageMs };
  }

  /** Forgets drivers who were last heard of before `oldestMs`. Returns how many. */
  sweep(oldestMs: number): number {
    let forgotten = 0;
    for (const [driverId, slot] of this.slots) {
      if (this.atMs[slot]! >= oldestMs) continue;
      this.unlink(slot);
      this.slots.delete(driverId);
      this.ids[slot] = undefined;
      this.free.push(slot);
      forgotten++;
    }
    return forgotten;
  }

  private eachInCell(row: number, column: number, look: (slot: number) => void): void {
    for (let slot = this.heads[this.bucket(row, column)]!; slot !== none; slot = this.next[slot]!) {
      // Two cells may share a bucket.
      if (this.row[slot] === row && this.column[slot] === column) look(slot);
    }
  }

  private take(driverId: string): number {
    let slot = this.free.pop();
    if (slot === undefined) {
      slot = this.slots.size;
      if (slot >= this.capacity) this.grow(this.capacity * 2);
    }
    this.slots.set(driverId, slot);
    this.ids[slot] = driverId;
    return slot;
  }

  private bucket(row: number, column: number): number {
    return ((Math.imul(row, 0x9e3779b1) ^ Math.imul(column, 0x85ebca6b)) >>> 7) & (this.heads.length - 1);
  }

  private link(slot: number, row: number, column: number): void {
    const bucket = this.bucket(row, column);
    const head = this.heads[bucket]!;
    this.row[slot] = row;
    this.column[slot] = column;
    this.previous[slot] = none;
    this.next[slot] = head;
    if (head !== none) this.previous[head] = slot;
    this.heads[bucket] = slot;
  }

  private unlink(slot: number): void {
    const previous = this.previous[slot]!;
    const next = this.next[slot]!;
    if (previous !== none) this.next[previous] = next;
    else this.heads[this.bucket(this.row[slot]!, this.column[slot]!)] = next;
    if (next !== none) this.previous[next] = previous;
  }

  /** Twice the room, and every slot into a hash table that has a bucket for each. */
  private grow(capacity: number): void {
    this.lat = widened(this.lat, new Float64Array(capacity));
    this.lng = widened(this.lng, new Float64Array(capacity));
    this.sequence = widened(this.sequence, new Float64Array(capacity));
    this.atMs = widened(this.atMs, new Float64Array(capacity));
    this.row = widened(this.row, new Int32Array(capacity));
    this.column = widened(this.column, new Int32Array(capacity));
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.heads = new Int32Array(capacity).fill(none);
    this.capacity = capacity;
    for (const slot of this.slots.values()) this.link(slot, this.row[slot]!, this.column[slot]!);
  }
}

function widened<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
