import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** The city's time: stands still until `begin` and then runs `speed` times as fast as ours. Milliseconds. */
export interface CityClock {
  readonly speed: number;
  begin(): void;
  /** The city's time of day as milliseconds since 1970, in the pickups' local time. */
  now(): number;
  /** Waits for this much of the city's time; throws the signal's reason at once when the city ends. */
  wait(cityMs: number): Promise<void>;
  waitUntil(cityTime: number): Promise<void>;
  /** Waits for this much of our own time. */
  readonly waitReal: (ms: number) => Promise<void>;
}

export function createCityClock(startsAt: number, speed: number, signal: AbortSignal): CityClock {
  setMaxListeners(0, signal);
  let begunAt: number | null = null;
  const now = (): number => startsAt + (begunAt === null ? 0 : (performance.now() - begunAt) * speed);
  const begin = (): void => void (begunAt ??= performance.now());
  const waitReal = (ms: number): Promise<void> => sleep(Math.max(0, ms), undefined, { signal });
  const wait = (cityMs: number): Promise<void> => waitReal(cityMs / speed);
  return { speed, begin, now, wait, waitUntil: (cityTime) => wait(cityTime - now()), waitReal };
}

/** `07:34:10` of a city time. */
export const timeOfDay = (cityTime: number): string => new Date(cityTime).toISOString().slice(11, 19);
