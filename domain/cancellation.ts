import type { Policies } from './policies';
import type { Ride, RideStatus } from './ride';

/** What is known when somebody wants to cancel. */
export interface CancellationCase {
  readonly by: 'rider' | 'operator';
  /** When, ISO 8601 in UTC. */
  readonly at: string;
  /** How much nearer to the pickup the driver has come since the assignment; null where nobody could say. */
  readonly approachMeters: number | null;
}

interface CancellationRule {
  readonly by: CancellationCase['by'];
  readonly statuses: readonly RideStatus[];
  /** Holds only while the driver has been assigned for less than this. */
  readonly assignedForLessThan?: 'freeCancellationMs';
  /** Holds only while the driver is known to have come less than this nearer. */
  readonly approachedLessThan?: 'minApproachMeters';
  readonly fee: 'none' | 'cancellationFeeMinor';
  readonly why: string;
}

/** The policy: the first rule that holds is the one. A case that no rule has is free. */
export const cancellationRules: readonly CancellationRule[] = [
  {
    by: 'rider',
    statuses: ['scheduled', 'requested', 'matching'],
    fee: 'none',
    why: 'no driver is on the way',
  },
  {
    by: 'rider',
    statuses: ['assigned', 'arrived'],
    assignedForLessThan: 'freeCancellationMs',
    fee: 'none',
    why: 'the driver has only just been assigned',
  },
  {
    by: 'rider',
    statuses: ['assigned'],
    approachedLessThan: 'minApproachMeters',
    fee: 'none',
    why: 'the driver has not come nearer',
  },
  {
    by: 'rider',
    statuses: ['assigned', 'arrived'],
    fee: 'cancellationFeeMinor',
    why: 'the driver is on the way or waits',
  },
  {
    by: 'operator',
    statuses: ['scheduled', 'requested', 'matching', 'assigned', 'arrived', 'in_progress'],
    fee: 'none',
    why: 'it is our doing',
  },
];

export interface CancellationFee {
  /** In minor units of the fare's currency. */
  readonly feeMinor: number;
  readonly why: string;
}

/**
 * What a cancel costs by the policy, never more than the fare. A cash ride has no hold to take a fee from. The preview
 * and the cancel both ask here.
 */
export function cancellationFee(ride: Ride, when: CancellationCase, policies: Policies): CancellationFee {
  const rule = cancellationRules.find((candidate) => holds(candidate, ride, when, policies));
  if (rule === undefined || rule.fee === 'none') return { feeMinor: 0, why: rule?.why ?? 'nothing is owed' };
  if (ride.paymentMethod.type === 'cash') return { feeMinor: 0, why: 'a cash ride has no hold' };
  return { feeMinor: atMostFare(ride, policies[rule.fee]), why: rule.why };
}

function holds(rule: CancellationRule, ride: Ride, when: CancellationCase, policies: Policies): boolean {
  if (rule.by !== when.by || !rule.statuses.includes(ride.status)) return false;
  const assignedForMs = Date.parse(when.at) - Date.parse(ride.assignedAt ?? when.at);
  if (rule.assignedForLessThan && assignedForMs >= policies[rule.assignedForLessThan]) return false;
  if (!rule.approachedLessThan) return true;
  return when.approachMeters !== null && when.approachMeters < policies[rule.approachedLessThan];
}

/** What a rider owes who did not come to the pickup, in minor units. */
export const noShowFeeMinor = (ride: Ride, policies: Policies): number =>
  ride.paymentMethod.type === 'cash' ? 0 : atMostFare(ride, policies.noShowFeeMinor);

const atMostFare = (ride: Ride, feeMinor: number): number => Math.min(feeMinor, ride.fare.totalMinor);
