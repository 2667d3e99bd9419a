import type { Fare } from './fare';
import type { Policies } from './policies';
import type { Ride } from './ride';

/**
 * What the driver's waiting from `arrivedAt` to `startedAt` costs, in minor units: a while is free, then every begun
 * unit has its price, up to the cap.
 */
export function waitingMinor(arrivedAt: string, startedAt: string, policies: Policies): number {
  const { freeWaitingMs, waitingUnitMs, waitingUnitMinor, waitingCapMinor } = policies;
  const chargedMs = Date.parse(startedAt) - Date.parse(arrivedAt) - freeWaitingMs;
  const units = Math.max(0, Math.ceil(chargedMs / waitingUnitMs));
  return Math.min(waitingCapMinor, units * waitingUnitMinor);
}

/** What a hold has to cover, in minor units: the fare, and the most that waiting can cost. */
export const holdMinor = (fare: Fare, policies: Policies): number =>
  fare.totalMinor + policies.waitingCapMinor;

/**
 * What the hold has to cover, in minor units, for another fare of a ride that goes on: waiting may still be to come.
 */
export const holdForFareMinor = (ride: Ride, fareMinor: number, policies: Policies): number =>
  fareMinor + (ride.startedAt === null ? policies.waitingCapMinor : ride.waitingMinor);

/**
 * The fare, in minor units, of a ride that ended before its dropoff: the base, and of the rest the share that was
 * driven. Where nobody could say how far that was, the share is that of the quoted time.
 */
export function earlyFareMinor(
  ride: Ride,
  at: string,
  drivenMeters: number | null,
  { quotedSecondMs }: Policies,
): number {
  const drivenMs = Date.parse(at) - Date.parse(ride.startedAt ?? at);
  const share =
    drivenMeters === null
      ? drivenMs / Math.max(1, ride.durationSeconds * quotedSecondMs)
      : drivenMeters / Math.max(1, ride.distanceMeters);
  // A fare that an operator has lowered may be less than its base.
  const base = ride.fare.lines.find(({ kind }) => kind === 'base')?.amountMinor ?? 0;
  const baseMinor = Math.min(base, ride.fare.totalMinor);
  const restMinor = ride.fare.totalMinor - baseMinor;
  return baseMinor + Math.round(restMinor * Math.min(1, Math.max(0, share)));
}
