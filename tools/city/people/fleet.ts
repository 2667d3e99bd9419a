import type { DriverView } from '../../../contracts/api/drivers';
import type { Point } from '../../../domain/geo';
import { createApp, Refused } from '../client/app';
import type { Pickup } from '../input/pickups';
import { seededRandom } from '../random';
import { driverId, driveShift, type DriverKit } from './driver';

export interface Fleet {
  /** All drivers are online. */
  readonly ready: Promise<void>;
  readonly size: number;
}

/** Between two drivers' logins, in our own time: a city does not wake at once. */
const LOGIN_EVERY_MS = 8;

/**
 * Starts `count` drivers, placed where people are picked up. With them come drivers of an earlier, larger fleet who
 * are still on a ride. `failed` is told of a driver who had to give up.
 */
export function startFleet(
  count: number,
  pickups: readonly Pickup[],
  kit: DriverKit,
  failed: (error: unknown) => void,
): Fleet {
  const random = seededRandom(kit.seed, 'fleet');
  const places: Point[] = Array.from({ length: count }, () => random.pick(pickups));
  const start = (number: number, place: Point): Promise<void> =>
    new Promise((resolve) => {
      driveShift(number, place, kit, resolve).catch((error: unknown) => {
        failed(error);
        resolve();
      });
    });
  const login = async (): Promise<void> => {
    const logins: Promise<void>[] = [];
    for (const [i, place] of places.entries()) {
      logins.push(start(i + 1, place));
      await kit.clock.waitReal(LOGIN_EVERY_MS);
    }
    await Promise.all(logins);
    for (let number = count + 1; ; number++) {
      const me = await lookUp(number, kit);
      if (me === null) return;
      if (me.rideId !== null) await start(number, random.pick(pickups));
    }
  };
  return { ready: login(), size: count };
}

/** What the API knows of a driver; null when nobody has registered by this number. */
async function lookUp(number: number, kit: DriverKit): Promise<DriverView | null> {
  try {
    return await createApp(kit.app, 'driver', driverId(number)).get<DriverView>('/v1/drivers/me');
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}
