import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEGREE } from '../../../domain/geo';
import type { DriverPosition } from '../../../contracts/positionRecord';
import { PositionWriter } from '../../../contracts/positionWriter';
import { projectRoot } from '../../../platform/root';
import { seededRandom, type Random } from '../../faults/location/fuzz';

export const PER_RECORD = 500;
const METERS_PER_DEGREE = 111_195;
/** A pickup stands for so much around it: one of a day's 5,862 is not where 170 drivers stand in a heap. */
const SPREAD_METERS = 200;

/** Drivers where people in New York were picked up, and how they move. */
export class Traffic {
  readonly lat: Float64Array;
  readonly lng: Float64Array;
  readonly ids: string[];
  readonly sequence: Float64Array;
  readonly atMs: Float64Array;
  private readonly random: Random;
  private readonly pickups = readPickups();

  constructor(
    readonly drivers: number,
    seed = 1,
  ) {
    this.random = seededRandom(seed);
    this.lat = new Float64Array(drivers);
    this.lng = new Float64Array(drivers);
    this.sequence = new Float64Array(drivers);
    this.atMs = new Float64Array(drivers);
    this.ids = Array.from({ length: drivers }, (_, n) => this.someUuid(n));
    for (let n = 0; n < drivers; n++) {
      const { lat, lng } = this.somePlace();
      this.lat[n] = lat;
      this.lng[n] = lng;
    }
  }

  /** Where somebody may ask for a driver. */
  somePlace(): { lat: number; lng: number } {
    const [lat, lng] = this.pickups[this.random(this.pickups.length)]!;
    return this.near(lat, lng, SPREAD_METERS);
  }

  someDriver(): number {
    return this.random(this.drivers);
  }

  /** A driver drives on for some seconds: the position that they tell then. */
  move(driver: number, atMs: number, meters = 40): DriverPosition {
    const { lat, lng } = this.near(this.lat[driver]!, this.lng[driver]!, meters);
    this.lat[driver] = lat;
    this.lng[driver] = lng;
    this.sequence[driver]! += 1;
    this.atMs[driver] = atMs;
    return this.positionOf(driver);
  }

  positionOf(driver: number): DriverPosition {
    return {
      driverId: this.ids[driver]!,
      lat: this.lat[driver]!,
      lng: this.lng[driver]!,
      sequence: this.sequence[driver]!,
      atMs: this.atMs[driver]!,
    };
  }

  private near(lat: number, lng: number, meters: number): { lat: number; lng: number } {
    const narrow = Math.cos((lat * Math.PI) / 180);
    return {
      lat: whole(lat + (this.normal() * meters) / METERS_PER_DEGREE),
      lng: whole(lng + (this.normal() * meters) / (METERS_PER_DEGREE * narrow)),
    };
  }

  /** Of mean 0 and deviation 1 (Box and Muller). */
  private normal(): number {
    const uniform = (): number => (1 + this.random(2 ** 32 - 2)) / 2 ** 32;
    return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  /** Version 7, as ids are here: the time first, then chance. */
  private someUuid(n: number): string {
    const hex = (digits: number): string =>
      this.random(16 ** digits)
        .toString(16)
        .padStart(digits, '0');
    const time = (0x19a_0000_0000 + n).toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`;
  }
}

/** Of each sixteen drivers five are on a ride, by their ids. */
export const isOnRide = (driverId: string): boolean => driverId.at(-1)! < '5';

/** Positions in binary records, as the gateway packs them. */
export function recordsOf(said: readonly DriverPosition[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let start = 0; start < said.length; start += PER_RECORD) {
    const writer = new PositionWriter(Date.now());
    for (const position of said.slice(start, start + PER_RECORD)) writer.add(position);
    records.push(writer.finish());
  }
  return records;
}

const whole = (degrees: number): number => Math.round(degrees * DEGREE) / DEGREE;

function readPickups(): [number, number][] {
  const text = readFileSync(join(projectRoot(), 'data', 'nyc-pickups-2014-04-02.csv'), 'utf8');
  const [, ...lines] = text.trim().split('\n');
  return lines.map((line) => {
    const [, lat, lng] = line.split(',');
    return [Number(lat), Number(lng)];
  });
}

/** Numbers below `count` in an order of chance. */
export function shuffled(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, n) => n);
  for (let n = count - 1; n > 0; n--) {
    const other = random(n + 1);
    const kept = order[n]!;
    order[n] = order[other]!;
    order[other] = kept;
  }
  return order;
}
