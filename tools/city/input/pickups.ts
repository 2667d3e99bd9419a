import type { Point } from '../../../domain/geo';
import { localTime, localTimeExpected, numberBetween, readCsv } from './csv';

/** Somebody was picked up here then. `at` is local time, milliseconds since 1970. */
export interface Pickup extends Point {
  readonly at: number;
}

/**
 * Reads a pickups file (columns `pickup_at,lat,lng`, more are allowed), sorted by time.
 * @throws InputError one line that names the file's line, what was found and what was expected
 */
export async function checkPickups(file: string): Promise<Pickup[]> {
  const rows = await readCsv(file, ['pickup_at', 'lat', 'lng']);
  return rows
    .map((row) => ({
      at: row.get('pickup_at', localTimeExpected, localTime),
      lat: row.get('lat', 'a latitude from -90 to 90', numberBetween(-90, 90)),
      lng: row.get('lng', 'a longitude from -180 to 180', numberBetween(-180, 180)),
    }))
    .sort((a, b) => a.at - b.at);
}

const dayMs = 24 * 3_600_000;

/** When the city begins: 07:00 of the first pickup's day, or with the first pickup when none follows on that day. */
export function cityStart(pickups: readonly Pickup[]): number {
  const first = pickups[0]?.at ?? 0;
  const seven = Math.floor(first / dayMs) * dayMs + 7 * 3_600_000;
  return pickups.some(({ at }) => at >= seven && at < seven + dayMs) ? seven : first;
}

/**
 * The pickups from `start` on, for ever: after the last one come those of the same days again, as many whole days
 * later.
 */
export function* pickupsFrom(pickups: readonly Pickup[], start: number): Generator<Pickup, never> {
  const last = pickups.at(-1);
  const first = pickups[0];
  if (!first || !last) throw new Error('impossible: a checked file has pickups');
  const lapMs = Math.ceil((last.at - Math.floor(first.at / dayMs) * dayMs + 1) / dayMs) * dayMs;
  for (let lap = 0; ; lap++) {
    for (const pickup of pickups) {
      const at = pickup.at + lap * lapMs;
      if (at >= start) yield { ...pickup, at };
    }
  }
}
