import type { Policies } from './policies';
import type { Ride } from './ride';

/**
 * What a rider's cancel at `at` costs, in minor units: nothing before a driver is on the way and in the first
 * `freeCancellationMs` after that; then the fee, never more than the fare. A cash ride has no hold to take it from.
 */
export function cancellationFeeMinor(ride: Ride, at: string, policies: Policies): number {
  if (ride.assignedAt === null || ride.paymentMethod.type === 'cash') return 0;
  const waitedMs = Date.parse(at) - Date.parse(ride.assignedAt);
  return waitedMs < policies.freeCancellationMs ? 0 : atMostFare(ride, policies.cancellationFeeMinor);
}

/** What a rider owes who did not come to the pickup, in minor units. */
export const noShowFeeMinor = (ride: Ride, policies: Policies): number =>
  ride.paymentMethod.type === 'cash' ? 0 : atMostFare(ride, policies.noShowFeeMinor);

const atMostFare = (ride: Ride, feeMinor: number): number => Math.min(feeMinor, ride.fare.totalMinor);
