/** When a post that failed is tried again. Milliseconds throughout. */

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

export const firstPauseMs = 10 * SECOND;
export const longestPauseMs = HOUR;
/** For so long after it was written a delivery is tried. */
export const tryForMs = 24 * HOUR;

export interface Failed {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** When the delivery was written, in milliseconds since 1970. */
  readonly writtenAt: number;
  /** Now, likewise. */
  readonly now: number;
  /** From 0 to 1: spreads the posts of many deliveries that failed together. */
  readonly random: number;
}

/**
 * The pause until the next attempt, or null when the delivery is given up. The pause doubles from 10 s to an hour, and
 * is shortened at random by up to half. The last attempt is made when the day is over: whoever was away for less hears
 * of everything.
 */
export function pauseAfter({ attempt, writtenAt, now, random }: Failed): number | null {
  const leftMs = writtenAt + tryForMs - now;
  if (leftMs <= 0) return null;
  const fullMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt - 1, 20));
  return Math.min(leftMs, Math.round(fullMs * (0.5 + random / 2)));
}
