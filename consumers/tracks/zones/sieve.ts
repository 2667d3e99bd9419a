import {
  driverIdOfKey,
  hashOfDriverKey,
  isKeyElsewhere,
  KEY_WORDS,
  writeDriverKey,
} from '../../../contracts/driverKey';
import {
  HEADER_WORDS,
  ROW_WORDS,
  row,
  sequenceOf,
  type PositionRows,
} from '../../../contracts/positionRecord';
import { zonesAfter, type Zones, type ZonesAtPlace } from '../../../domain/zones';
import { Newest } from './newest';

/** A position by which its driver seems to have entered or left something: the database says whether. */
export interface Crossing extends ZonesAtPlace {
  readonly driverId: string;
  readonly sequence: number;
  /** When the driver was there, milliseconds since 1970. */
  readonly atMs: number;
}

/** A driver, and the zones that they are in, sorted. */
export interface Stay {
  readonly driverId: string;
  readonly zones: readonly string[];
}

/**
 * Finds the few positions that may change in which zones a driver is among the many that do not. It knows who is in a zone;
 * a position costs a look at the zones' squares, and one whether its driver is among those.
 */
export class Sieve {
  private readonly newest = new Newest();
  /** Drivers in zones by the hash of their keys, and the zones of each. */
  private inside = new Map<number, Map<string, string>>();
  private readonly key = new Int32Array(KEY_WORDS);

  constructor(private readonly zones: Zones) {}

  /** These are in zones, and nobody else. */
  learn(stays: readonly Stay[]): void {
    this.inside = new Map();
    for (const stay of stays) this.note(stay);
  }

  /** Where a driver is by now, after what was found of them. */
  note({ driverId, zones }: Stay): void {
    this.remember(driverId, nameOf(zones));
  }

  /** Forgets which positions have been here: some may come again from before. */
  readAgain(): void {
    this.newest.forget();
  }

  /**
   * The positions of a record, in their order, that say something else than is known, and all further ones of their
   * drivers: until it is noted what came of them, nobody knows where these are.
   */
  *crossings({ words, count, baseMs, longIds }: PositionRows, sentMs: number): Generator<Crossing> {
    let elsewhere = 0;
    for (let i = 0, at = HEADER_WORDS; i < count; i++, at += ROW_WORDS) {
      const longId = longIds.length > 0 && isKeyElsewhere(words, at) ? longIds[elsewhere++] : undefined;
      if (this.newest.isLate(words, at)) continue;
      const zones = this.zones.at(words[at + row.lat]!, words[at + row.lng]!);
      const sharing = this.inside.get(hashOfDriverKey(words, at));
      if (zones.length === 0 && sharing === undefined) continue;
      const driverId = longId ?? driverIdOfKey(words, at);
      const known = sharing?.get(driverId) ?? '';
      if (known === nameOf(zones)) continue;
      const rims = this.zones.rimsAt(words[at + row.lat]!, words[at + row.lng]!);
      if (known !== unsettled && nameOf(zonesAfter(zonesOf(known), { zones, rims })) === known) continue;
      const atMs = Math.min(baseMs - (words[at + row.ageMs]! >>> 0), sentMs);
      this.remember(driverId, unsettled);
      yield { driverId, sequence: sequenceOf(words, at), atMs, zones, rims };
    }
  }

  private remember(driverId: string, zones: string): void {
    writeDriverKey(driverId, this.key, 0);
    const hash = hashOfDriverKey(this.key, 0);
    const sharing = this.inside.get(hash);
    if (zones !== '') this.inside.set(hash, (sharing ?? new Map<string, string>()).set(driverId, zones));
    else if (sharing?.delete(driverId) && sharing.size === 0) this.inside.delete(hash);
  }
}

/** In place of zones: no zones are called so. */
const unsettled = '?';

const nameOf = (zones: readonly string[]): string => zones.join(',');
const zonesOf = (name: string): string[] => (name === '' ? [] : name.split(','));
