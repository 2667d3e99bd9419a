import { latLngToCell } from 'h3-js';

/** Cells of about a block. */
const RESOLUTION = 9;

interface Known {
  readonly driverId: string;
  readonly lat: number;
  readonly lng: number;
  readonly sequence: number;
  readonly atMs: number;
  readonly cell: string;
}

/** The usual way: a record in JSON for each position, an object for each driver, and a set of drivers for each H3 cell. */
export class UsualIndex {
  readonly drivers = new Map<string, Known>();
  private readonly cells = new Map<string, Set<string>>();

  /** Whether the record told something new. */
  take(record: Buffer): boolean {
    const position = JSON.parse(record.toString('utf8')) as Omit<Known, 'cell'>;
    const known = this.drivers.get(position.driverId);
    if (known !== undefined && known.sequence >= position.sequence) return false;
    const cell = latLngToCell(position.lat, position.lng, RESOLUTION);
    if (cell !== known?.cell) {
      if (known !== undefined) this.cells.get(known.cell)!.delete(position.driverId);
      const there = this.cells.get(cell);
      if (there) there.add(position.driverId);
      else this.cells.set(cell, new Set([position.driverId]));
    }
    this.drivers.set(position.driverId, { ...position, cell });
    return true;
  }
}
