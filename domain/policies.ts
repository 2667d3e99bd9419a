/** What the company decided, in one place. Durations are in milliseconds of the city's clock. */
export interface Policies {
  /** How long one driver may think about an offer. */
  readonly offerTtlMs: number;
  /** How many drivers get an offer at once. */
  readonly offerBatchSize: number;
  /** How far from the pickup a driver is looked for at first, in meters. */
  readonly searchRadiusMeters: number;
  /** How many times as far each further search looks. */
  readonly searchRadiusGrowth: number;
  /** Nobody is asked to come from further away than this, in meters. */
  readonly maxSearchRadiusMeters: number;
  /** The pause before looking again when nobody was free as far as we look. */
  readonly searchPauseMs: number;
  /** After this long in `matching`, the ride ends without a driver. A reservation's time does not count. */
  readonly matchingDeadlineMs: number;
  /** A driver under way may be asked for a next ride when the present one is over in so many seconds of driving. */
  readonly nextRideWithinSeconds: number;
  /** A reserved driver who is not free after this long is given up, and the search goes on. */
  readonly reservationMs: number;
  /** How long a driver waits at the pickup before reporting a no-show. */
  readonly noShowAfterMs: number;
  /** A rider's cancel is free for this long after a driver was assigned. */
  readonly freeCancellationMs: number;
  readonly cancellationFeeMinor: number;
  readonly noShowFeeMinor: number;
  /** A rider's cancel is also free while the driver has come less than this nearer to the pickup. */
  readonly minApproachMeters: number;
  /** A driver has arrived when this near to the pickup. */
  readonly arrivalRadiusMeters: number;
  /** A driver waits this long at the pickup for nothing; after that every begun `waitingUnitMs` has a price. */
  readonly freeWaitingMs: number;
  readonly waitingUnitMs: number;
  readonly waitingUnitMinor: number;
  /** The most that waiting can cost; the hold has room for it. */
  readonly waitingCapMinor: number;
  /** One second of a quoted duration on this clock. */
  readonly quotedSecondMs: number;
  /** A ride can be scheduled from this long ahead … */
  readonly scheduleMinAheadMs: number;
  /** … up to this many days (of the calendar, at any speed). */
  readonly scheduleMaxAheadDays: number;
  /** A scheduled ride is released, and paid for, this long before its pickup. */
  readonly scheduleLeadMs: number;
  /**
   * Whoever waits for the hold to be raised is let go, and the fare stays, after this long (in real time at any speed).
   */
  readonly holdPatienceSeconds: number;
  /** For so long a provider that has not answered may only be slow (in real time at any speed), as its client waits. */
  readonly providerPatienceSeconds: number;
  /** How long a rider has to answer their bank before the next payment method is tried. */
  readonly actionDeadlineMs: number;
  /** A hold is made anew when it is this old: the provider's end after 7 days. */
  readonly holdValidMs: number;
  /** How often a ride's workflow looks whether it is stuck. */
  readonly stuckCheckMs: number;
  /** The platform's share of a fare, in basis points (1/100 of a percent). */
  readonly commissionBasisPoints: number;
  /** How long after a ride a tip can be given. */
  readonly tipWindowMs: number;
  /** How long after a ride its payment's workflow stays open for refunds. */
  readonly refundWindowMs: number;
  /** A driver is paid out weekly from this much on, in minor units by currency; one whole unit where it is not here. */
  readonly payoutMinimums: Readonly<Record<string, number>>;
  /** How often an open dispute is looked at when the provider says nothing. */
  readonly disputeLookMs: number;
  /** How long after a ride its rider and driver can rate each other. */
  readonly ratingWindowMs: number;
  /** How long a link to a ride is good for, from now or from its pickup if that is later … */
  readonly shareTtlMs: number;
  /** … but only for so long after the ride's end. */
  readonly shareGraceMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const standardPolicies: Policies = {
  offerTtlMs: 20 * SECOND,
  offerBatchSize: 3,
  searchRadiusMeters: 3_000,
  searchRadiusGrowth: 2,
  maxSearchRadiusMeters: 12_000,
  searchPauseMs: 10 * SECOND,
  matchingDeadlineMs: 5 * MINUTE,
  nextRideWithinSeconds: 240,
  reservationMs: 8 * MINUTE,
  noShowAfterMs: 5 * MINUTE,
  freeCancellationMs: 2 * MINUTE,
  cancellationFeeMinor: 500,
  noShowFeeMinor: 500,
  minApproachMeters: 200,
  arrivalRadiusMeters: 300,
  freeWaitingMs: 2 * MINUTE,
  waitingUnitMs: MINUTE,
  waitingUnitMinor: 35,
  waitingCapMinor: 350,
  quotedSecondMs: SECOND,
  holdPatienceSeconds: 60,
  providerPatienceSeconds: 5,
  actionDeadlineMs: 10 * MINUTE,
  holdValidMs: 6 * 24 * 60 * MINUTE,
  stuckCheckMs: 30 * MINUTE,
  scheduleMinAheadMs: 30 * MINUTE,
  scheduleMaxAheadDays: 30,
  scheduleLeadMs: 20 * MINUTE,
  commissionBasisPoints: 2_000,
  tipWindowMs: 60 * MINUTE,
  refundWindowMs: 24 * 60 * MINUTE,
  // About a dollar each, where a whole unit is worth far less or more.
  payoutMinimums: { USD: 100, EUR: 100, JPY: 150, KRW: 1_500, ISK: 150, UGX: 4_000, MGA: 500_000, KWD: 300 },
  disputeLookMs: 12 * 60 * MINUTE,
  ratingWindowMs: 7 * 24 * 60 * MINUTE,
  shareTtlMs: 24 * 60 * MINUTE,
  shareGraceMs: 15 * MINUTE,
};

/** Networks and machines do not run faster with a city's clock: an accept has this long to arrive. */
const LEAST_OFFER_TTL_MS = 1_500;

/**
 * The same policies in a city whose clock runs `speed` times as fast: every duration is divided by it, but an offer
 * stays open long enough to be answered.
 */
export function scalePolicies(policies: Policies, speed: number): Policies {
  const scaled = Object.entries(policies).map(([name, value]: [string, unknown]): [string, unknown] => [
    name,
    name.endsWith('Ms') ? Math.max(1, Math.round((value as number) / speed)) : value,
  ]);
  const all = Object.fromEntries(scaled) as unknown as Policies;
  return { ...all, offerTtlMs: Math.max(all.offerTtlMs, Math.min(policies.offerTtlMs, LEAST_OFFER_TTL_MS)) };
}
