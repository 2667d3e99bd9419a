import { setTimeout as delay } from 'node:timers/promises';
import { inHands } from '../ground';
import type { Driven, People } from './standardRide';

/** Rides one after another in each of `atOnce` hands, `count` in all: as many a second as there is power for. */
export const closedLoop = (people: People, howMany: { count: number; atOnce: number }): Promise<Driven[]> =>
  inHands(howMany, (_n, driver) => people.ride(driver));

/** Rides that begin at a steady pace, whether or not those before have ended; as many at once as there are drivers. */
export async function steadyPace(
  people: People,
  { count, perSecond, drivers }: { count: number; perSecond: number; drivers: number },
): Promise<Driven[]> {
  const free = Array.from({ length: drivers }, (_, driver) => driver);
  const startedAt = performance.now();
  const rides: Promise<Driven>[] = [];
  for (let i = 0; i < count; i += 1) {
    await delay(Math.max(0, startedAt + (i * 1_000) / perSecond - performance.now()));
    const driver = free.shift();
    if (driver === undefined)
      throw new Error(`all ${drivers} drivers are busy at ${perSecond} rides a second`);
    rides.push(people.ride(driver).finally(() => free.push(driver)));
    // Heard of below; until then it is nobody's unhandled rejection.
    rides.at(-1)!.catch(() => undefined);
  }
  return Promise.all(rides);
}

/** Rides that set out and stay under way, with drivers `from` to `to - 1`. */
export async function setOut(
  people: People,
  { from, to, atOnce }: { from: number; to: number; atOnce: number },
): Promise<void> {
  await inHands({ count: to - from, atOnce }, async (n) => {
    const driver = from + n - 1;
    await people.register(driver, driver + 1);
    await people.setOut(driver);
  });
}
