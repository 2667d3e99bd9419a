import type { Fare, Product } from './fare';
import type { Point } from './geo';

export type PaymentMethod = { readonly type: 'card'; readonly token: string } | { readonly type: 'cash' };

export type RideStatus =
  | 'requested'
  | 'matching'
  | 'assigned'
  | 'arrived'
  | 'in_progress'
  | 'completed'
  | 'cancelled'
  | 'no_driver'
  | 'payment_failed';

/** What a rider asked for, as quoted. */
export interface RideRequest {
  readonly rideId: string;
  readonly riderId: string;
  readonly quoteId: string;
  readonly product: Product;
  readonly pickup: Point;
  readonly dropoff: Point;
  readonly distanceMeters: number;
  readonly durationSeconds: number;
  readonly fare: Fare;
  readonly paymentMethod: PaymentMethod;
}

/** A ride as its facts tell it; the row in Postgres is exactly this. Times are ISO 8601 in UTC. */
export interface Ride extends RideRequest {
  readonly version: number;
  readonly status: RideStatus;
  readonly driverId: string | null;
  /** Drivers who gave this ride back; they are not asked again. */
  readonly excludedDriverIds: readonly string[];
  readonly requestedAt: string;
  readonly matchingSince: string | null;
  readonly assignedAt: string | null;
  readonly arrivedAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** What the rider owes at the end, in minor units of the fare's currency: the fare, a fee, or nothing. */
  readonly chargeMinor: number | null;
  readonly endReason: string | null;
}

export type CancelledBy = 'rider' | 'operator' | 'no_show';

/** The data of every fact of a ride. contracts/facts/rides.ts holds the schema of each to this. */
export interface RideFactData {
  'ride.requested': RideRequest;
  'ride.matching_started': Record<string, never>;
  'ride.payment_failed': { readonly reason: string };
  'ride.driver_assigned': { readonly driverId: string; readonly offerId: string };
  'ride.no_driver_found': Record<string, never>;
  'ride.driver_unassigned': { readonly driverId: string; readonly reason: string };
  'ride.driver_arrived': { readonly driverId: string };
  'ride.started': { readonly driverId: string };
  'ride.completed': { readonly driverId: string; readonly chargeMinor: number; readonly currency: string };
  'ride.cancelled': {
    readonly by: CancelledBy;
    readonly reason: string;
    readonly driverId: string | null;
    readonly feeMinor: number;
    readonly currency: string;
  };
}

export type RideFactType = keyof RideFactData;

/** What happened to a ride, and when. Its version is the ride's version after it. */
export type RideFact = {
  [T in RideFactType]: { readonly type: T; readonly at: string; readonly data: RideFactData[T] };
}[RideFactType];

/** What somebody wants of a ride. `at` is the time of the one who decides, ISO 8601 in UTC. */
export type RideCommand =
  | { type: 'request'; at: string; request: RideRequest }
  | { type: 'startMatching'; at: string }
  | { type: 'failPayment'; at: string; reason: string }
  | { type: 'assignDriver'; at: string; driverId: string; offerId: string }
  | { type: 'giveUpMatching'; at: string }
  | { type: 'unassignDriver'; at: string; driverId: string; reason: string }
  | { type: 'arrive'; at: string; driverId: string }
  | { type: 'start'; at: string; driverId: string }
  | { type: 'complete'; at: string; driverId: string }
  | { type: 'reportNoShow'; at: string; driverId: string }
  | { type: 'cancelByRider'; at: string; reason: string }
  | { type: 'cancelByOperator'; at: string; reason: string };

export type RideCommandType = RideCommand['type'];

interface Transition {
  readonly from: readonly (RideStatus | 'nothing')[];
  readonly to: RideStatus;
  readonly fact: RideFactType;
}

/** The one table of a ride's life. Guards, the compare-and-set, fact names, diagram and tests come from it. */
export const rideTransitions: Readonly<Record<RideCommandType, Transition>> = {
  request: { from: ['nothing'], to: 'requested', fact: 'ride.requested' },
  startMatching: { from: ['requested'], to: 'matching', fact: 'ride.matching_started' },
  failPayment: { from: ['requested'], to: 'payment_failed', fact: 'ride.payment_failed' },
  assignDriver: { from: ['matching'], to: 'assigned', fact: 'ride.driver_assigned' },
  giveUpMatching: { from: ['matching'], to: 'no_driver', fact: 'ride.no_driver_found' },
  unassignDriver: { from: ['assigned', 'arrived'], to: 'matching', fact: 'ride.driver_unassigned' },
  arrive: { from: ['assigned'], to: 'arrived', fact: 'ride.driver_arrived' },
  start: { from: ['arrived'], to: 'in_progress', fact: 'ride.started' },
  complete: { from: ['in_progress'], to: 'completed', fact: 'ride.completed' },
  reportNoShow: { from: ['arrived'], to: 'cancelled', fact: 'ride.cancelled' },
  cancelByRider: {
    from: ['requested', 'matching', 'assigned', 'arrived'],
    to: 'cancelled',
    fact: 'ride.cancelled',
  },
  cancelByOperator: {
    from: ['requested', 'matching', 'assigned', 'arrived', 'in_progress'],
    to: 'cancelled',
    fact: 'ride.cancelled',
  },
};

export const terminalRideStatuses: readonly RideStatus[] = [
  'completed',
  'cancelled',
  'no_driver',
  'payment_failed',
];

export const hasEnded = (ride: Ride): boolean => terminalRideStatuses.includes(ride.status);

/** With these a driver is on the ride: never on two such rides at once. */
export const drivingStatuses: readonly RideStatus[] = ['assigned', 'arrived', 'in_progress'];
