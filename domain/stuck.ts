import type { Policies } from './policies';
import type { Ride, RideStatus } from './ride';

type LiveStatus = Exclude<RideStatus, 'completed' | 'cancelled' | 'no_driver' | 'payment_failed'>;

type TimeField = 'scheduledFor' | 'requestedAt' | 'matchingSince' | 'assignedAt' | 'arrivedAt' | 'startedAt';

/** What of a ride makes its waits longer. */
type Needs = Pick<Ride, 'durationSeconds' | 'reservedDriverId'>;
const noNeeds: Needs = { durationSeconds: 0, reservedDriverId: null };

interface Wait {
  /** What the ride waits for, as it follows on "waits for". */
  readonly for: string;
  /** The time of the ride from which on it does; from its request on where it has none. */
  readonly since: TimeField;
  /** How long before that time it begins to, in milliseconds; 0 where nothing is said. */
  readonly earlierMs?: (policies: Policies) => number;
  /** How long that may take, in milliseconds of the policies' clock: the shorter, the less the ride needs. */
  readonly limitMs: (policies: Policies, ride: Needs) => number;
  /** What an operator does who finds it waiting longer. */
  readonly action: string;
}

/** A limit in minutes on the policies' clock. */
const minutes =
  (count: number) =>
  ({ quotedSecondMs }: Policies): number =>
    count * 60 * quotedSecondMs;

/** What a ride waits for in each state, for how long that is normal, and what helps when it is not. */
export const waits: Readonly<Record<LiveStatus, Wait>> = {
  scheduled: {
    for: 'its time to come',
    since: 'scheduledFor',
    earlierMs: ({ scheduleLeadMs }) => scheduleLeadMs,
    limitMs: minutes(2),
    action: 'see why its workflow did not release it; cancel it if nobody can drive',
  },
  requested: {
    for: 'the payment provider to authorize the fare',
    since: 'requestedAt',
    limitMs: minutes(2),
    action:
      'look at the payment: the provider may be down; it goes on by itself when that is back, or cancel',
  },
  matching: {
    for: 'a driver nearby to accept an offer',
    since: 'matchingSince',
    limitMs: ({ matchingDeadlineMs, offerTtlMs, reservationMs }, { reservedDriverId }) =>
      matchingDeadlineMs + 2 * offerTtlMs + (reservedDriverId === null ? 0 : reservationMs),
    action:
      'see what its last step failed with: rides worker, location or database; cancel if it cannot go on',
  },
  assigned: {
    for: 'the driver to arrive at the pickup',
    since: 'assignedAt',
    limitMs: minutes(45),
    action: 'call the driver; override the arrival, or reassign',
  },
  arrived: {
    for: 'the rider to come and give the start code',
    since: 'arrivedAt',
    limitMs: minutes(30),
    action: 'call both; start it without the code, reassign or cancel',
  },
  in_progress: {
    for: 'the driver to complete the ride',
    since: 'startedAt',
    limitMs: (policies, { durationSeconds }) =>
      minutes(60)(policies) + 2 * durationSeconds * policies.quotedSecondMs,
    action: 'call the driver; force complete it, or end it where it is',
  },
};

/** Whom a payment waits for when it cannot go on alone. */
export type PaymentWait = 'provider' | 'database';

/** The same for a payment, whose other waits last as long as its ride, or have an end of their own. */
export const paymentWaits: Readonly<
  Record<PaymentWait, Pick<Wait, 'for' | 'action'> & { readonly limitMs: (policies: Policies) => number }>
> = {
  provider: {
    for: 'the payment provider',
    limitMs: minutes(2),
    action: 'see whether the provider is down; it is asked again until it answers',
  },
  database: {
    for: 'the payments database',
    limitMs: minutes(2),
    action: 'see whether the payments database is down; it goes on when that is back',
  },
};

export interface Stuck {
  readonly waitsFor: string;
  /** ISO 8601 in UTC. */
  readonly since: string;
  /** How much longer than its state allows, in milliseconds. */
  readonly overdueMs: number;
  readonly action: string;
}

/**
 * What a ride is stuck in at `at`, or null where it waits no longer than its state allows, or is over.
 * @param movedAt when what it waits for has last moved, ISO 8601 in UTC: it waits from then on. Null where nobody knows
 */
export function stuckIn(
  ride: Ride,
  at: string,
  policies: Policies,
  movedAt: string | null = null,
): Stuck | null {
  if (!isLive(ride.status)) return null;
  const { for: waitsFor, limitMs, action } = waits[ride.status];
  const sinceMs = Math.max(waitsSinceMs(ride, policies), movedAt === null ? -Infinity : Date.parse(movedAt));
  const overdueMs = Date.parse(at) - sinceMs - limitMs(policies, ride);
  return overdueMs > 0 ? { waitsFor, since: new Date(sinceMs).toISOString(), overdueMs, action } : null;
}

/** The first millisecond, since 1970, at which the ride is stuck if it stays as it is; null where it is over. */
export const stuckFromMs = (ride: Ride, policies: Policies): number | null =>
  isLive(ride.status) ? waitsSinceMs(ride, policies) + waits[ride.status].limitMs(policies, ride) + 1 : null;

function waitsSinceMs(ride: Ride, policies: Policies): number {
  if (!isLive(ride.status)) throw new Error(`impossible: a ride that is ${ride.status} waits for nothing`);
  const { since, earlierMs } = waits[ride.status];
  return Date.parse(ride[since] ?? ride.requestedAt) - (earlierMs?.(policies) ?? 0);
}

/** Rides in this status can only be stuck where the time in this field is before `before`, ISO 8601 in UTC. */
export interface StuckBound {
  readonly status: RideStatus;
  readonly since: TimeField;
  readonly before: string;
}

/** What can be stuck at `at`: a bound for each status, that of the ride which may wait the least. For a search. */
export const stuckBounds = (at: string, policies: Policies): StuckBound[] =>
  Object.entries(waits).map(([status, { since, earlierMs, limitMs }]) => {
    const beforeMs = Date.parse(at) - limitMs(policies, noNeeds) + (earlierMs?.(policies) ?? 0);
    return { status: status as RideStatus, since, before: new Date(beforeMs).toISOString() };
  });

/** The words for what a ride in this state waits for. */
export const waitsFor = (status: RideStatus): string =>
  isLive(status) ? waits[status].for : 'nothing: the ride is over';

const isLive = (status: RideStatus): status is LiveStatus => Object.hasOwn(waits, status);
