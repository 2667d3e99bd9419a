/** A slot's number has 14 bits in a frame, and frames of all slots stay below what may wait for a slow reader. */
export const MAX_DRIVERS = 12_000;

/** What a driver's mark says; 0 is none. */
export const DriverState = { gone: 0, free: 1, onRide: 2 } as const;

export interface SeenDriver {
  readonly driverId: string;
  /** In steps of the grid (area.ts). */
  readonly x: number;
  readonly y: number;
  readonly isFree: boolean;
}

/** A frame's row: the slot with the state above it (two bits), x, y, 16 bits each. */
const ROW_BYTES = 6;
const STATE_SHIFT = 14;

/**
 * Where drivers are, as viewers know them: each has a slot, and of each slot it is known in which frame it last changed.
 * So nothing is kept for a viewer but the number of the last frame that they got, however slow they read.
 */
export class FleetBoard {
  private readonly slots = new Map<string, number>();
  private readonly freeSlots: number[] = [];
  private readonly x = new Uint16Array(MAX_DRIVERS);
  private readonly y = new Uint16Array(MAX_DRIVERS);
  private readonly state = new Uint8Array(MAX_DRIVERS);
  private readonly changedIn = new Uint32Array(MAX_DRIVERS);
  private readonly seenIn = new Uint32Array(MAX_DRIVERS);
  private slotsEver = 0;
  private frames = 0;

  /** The newest frame; 0 before there is one. */
  get frame(): number {
    return this.frames;
  }

  /** How many drivers are on the map. */
  get size(): number {
    return this.slots.size;
  }

  /** The next frame: all drivers that are there now. Beyond `MAX_DRIVERS` nobody is taken in. */
  take(drivers: Iterable<SeenDriver>): void {
    this.frames += 1;
    for (const { driverId, x, y, isFree } of drivers) {
      const slot = this.slots.get(driverId) ?? this.newSlot(driverId);
      if (slot === undefined) continue;
      this.seenIn[slot] = this.frames;
      this.set(slot, x, y, isFree ? DriverState.free : DriverState.onRide);
    }
    for (const [driverId, slot] of this.slots) {
      if (this.seenIn[slot] === this.frames) continue;
      this.set(slot, 0, 0, DriverState.gone);
      this.slots.delete(driverId);
      this.freeSlots.push(slot);
    }
  }

  /** The slot of a driver who is on the map. */
  slotOf(driverId: string): number | undefined {
    return this.slots.get(driverId);
  }

  /** What has changed since a frame; since 0, all drivers there are. Little-endian rows of six bytes, in base64. */
  since(frame: number): string {
    const rows = Buffer.allocUnsafe(this.slotsEver * ROW_BYTES);
    let at = 0;
    for (let slot = 0; slot < this.slotsEver; slot++) {
      const state = this.state[slot]!;
      if (this.changedIn[slot]! <= frame || (frame === 0 && state === DriverState.gone)) continue;
      at = rows.writeUInt16LE(slot | (state << STATE_SHIFT), at);
      at = rows.writeUInt16LE(this.x[slot]!, at);
      at = rows.writeUInt16LE(this.y[slot]!, at);
    }
    return rows.toString('base64', 0, at);
  }

  private set(slot: number, x: number, y: number, state: number): void {
    if (this.state[slot] === state && this.x[slot] === x && this.y[slot] === y) return;
    this.x[slot] = x;
    this.y[slot] = y;
    this.state[slot] = state;
    this.changedIn[slot] = this.frames;
  }

  private newSlot(driverId: string): number | undefined {
    const slot = this.freeSlots.pop() ?? (this.slotsEver < MAX_DRIVERS ? this.slotsEver++ : undefined);
    if (slot !== undefined) this.slots.set(driverId, slot);
    return slot;
  }
}
