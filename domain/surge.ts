/** What surge looks at, and how far it goes. */
export const surgePolicy = {
  /** So many minutes are looked at, and so long ago a minute weighs half. */
  windowMinutes: 15,
  halfLifeMinutes: 5,
  /** Fewer riders than that, weighed, are chance and no demand. */
  leastDemand: 5,
  /** What each further rider per free driver adds. */
  slope: 0.5,
  /** A price changes in steps, and no further than to the most. */
  step: 0.1,
  most: 3,
  /** Who hears nothing for so long goes back to 1. */
  validMinutes: 10,
} as const;

export interface DemandAndSupply {
  /** Riders who asked for a ride, each once, weighed. */
  readonly demand: number;
  /** Drivers who became free, weighed. */
  readonly supply: number;
}

/** How much a minute counts that began so many minutes ago: smoothly less, and nothing outside the window. */
export function weightOfMinute(ageMinutes: number): number {
  const { windowMinutes, halfLifeMinutes } = surgePolicy;
  if (ageMinutes < 0 || ageMinutes >= windowMinutes) return 0;
  return 0.5 ** (ageMinutes / halfLifeMinutes);
}

/**
 * What fares are multiplied by: 1 where each rider finds a driver, more by the riders per driver. It leaves `before` only
 * by a whole step, so that a value between two steps does not go to and fro.
 */
export function surgeFor({ demand, supply }: DemandAndSupply, before: number): number {
  const { leastDemand, slope, step, most } = surgePolicy;
  const perDriver = demand < leastDemand ? 0 : demand / Math.max(1, supply);
  const wanted = Math.min(most, 1 + slope * Math.max(0, perDriver - 1));
  if (Math.abs(wanted - before) < step) return before;
  return Math.round(wanted / step) / Math.round(1 / step);
}
