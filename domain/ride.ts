import type { Fare, Product } from './fare';
import type { Point } from './geo';

export type PaymentMethod = { readonly type: 'card'; readonly token: string } | { readonly type: 'cash' };

export type RideStatus =
  | 'scheduled'
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
  /** The H3 cells (resolution 8) of both ends; older rides say none. */
  readonly pickupCell?: string;
  readonly dropoffCell?: string;
  /** Where the ride stops between pickup and dropoff, in this order. */
  readonly stops: readonly Point[];
  readonly dropoff: Point;
  readonly distanceMeters: number;
  readonly durationSeconds: number;
  /** What the fare was multiplied by when the ride was booked, and still is when its route changes; older rides say none. */
  readonly surge?: number;
  readonly fare: Fare;
  readonly paymentMethod: PaymentMethod;
  /** What is tried, in this order, where that is declined. */
  readonly fallbackPaymentMethods?: readonly PaymentMethod[];
  /** When the rider wants to be picked up, if that is later; ISO 8601 in UTC. */
  readonly scheduledFor: string | null;
}

/** Another way from here on, as quoted: what a rider proposes under way and the driver answers. */
export interface RouteChange extends Pick<
  RideRequest,
  'stops' | 'dropoff' | 'dropoffCell' | 'distanceMeters' | 'durationSeconds' | 'fare'
> {
  readonly changeId: string;
}

/** A ride as its facts tell it; the row in Postgres is exactly this. Times are ISO 8601 in UTC. */
export interface Ride extends RideRequest {
  readonly version: number;
  readonly status: RideStatus;
  readonly driverId: string | null;
  /** Drivers who gave this ride back, or were not free for it in time; they are not asked again. */
  readonly excludedDriverIds: readonly string[];
  readonly requestedAt: string;
  readonly matchingSince: string | null;
  readonly assignedAt: string | null;
  readonly arrivedAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** How many of the stops have been reached. */
  readonly stopsReached: number;
  /** What the rider proposes and nobody has answered yet. */
  readonly routeChange: RouteChange | null;
  /** A driver about to finish another ride, who takes this one then. */
  readonly reservedDriverId: string | null;
  /** What the driver's waiting at the pickup costs, beside the fare. */
  readonly waitingMinor: number;
  /** What the rider owes at the end, in minor units of the fare's currency: the fare, a fee, or nothing. */
  readonly chargeMinor: number | null;
  readonly endReason: string | null;
}

export type CancelledBy = 'rider' | 'operator' | 'no_show';

/** An operator's word for what the driver's would be: that they are there, that the rider is in the car. */
interface Override {
  readonly by?: 'operator';
  readonly reason?: string;
}

/** The data of every fact of a ride. contracts/facts/rides.ts holds the schema of each to this. */
export interface RideFactData {
  'ride.scheduled': RideRequest;
  'ride.rescheduled': RideRequest;
  'ride.requested': RideRequest;
  /** With the method that holds the fare, where it is another than the rider's first. */
  'ride.matching_started': { readonly paymentMethod?: PaymentMethod };
  'ride.payment_failed': { readonly reason: string };
  'ride.driver_assigned': { readonly driverId: string; readonly offerId: string };
  'ride.no_driver_found': Record<string, never>;
  'ride.driver_reserved': { readonly driverId: string; readonly offerId: string };
  'ride.driver_reservation_released': { readonly driverId: string; readonly reason: string };
  'ride.driver_unassigned': { readonly driverId: string; readonly reason: string; readonly by?: 'operator' };
  'ride.driver_arrived': Override & { readonly driverId: string };
  'ride.started': Override & { readonly driverId: string; readonly waitingMinor?: number };
  'ride.stop_reached': { readonly driverId: string; readonly stop: number };
  'ride.route_change_proposed': RouteChange;
  'ride.route_change_declined': {
    readonly changeId: string;
    readonly by: 'rider' | 'driver' | 'payment';
    readonly reason: string;
  };
  'ride.route_changed': RouteChange;
  'ride.fare_adjusted': { readonly fare: Fare; readonly reason: string };
  'ride.completed': {
    readonly driverId: string;
    readonly chargeMinor: number;
    readonly currency: string;
    readonly waitingMinor?: number;
    /** Who ended the ride instead of the driver, and why; with `drivenMeters` where it ended before the dropoff. */
    readonly ended?: {
      readonly by: 'rider' | 'operator';
      readonly reason: string;
      readonly drivenMeters?: number | null;
    };
  };
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
  | { type: 'schedule'; at: string; request: RideRequest }
  /** `request`: what changes of it; the rest stays as it is when this is decided. */
  | { type: 'reschedule'; at: string; request: Partial<RideRequest> }
  | { type: 'release'; at: string }
  | { type: 'request'; at: string; request: RideRequest }
  | { type: 'startMatching'; at: string; paymentMethod?: PaymentMethod }
  | { type: 'failPayment'; at: string; reason: string }
  | { type: 'reserveDriver'; at: string; driverId: string; offerId: string }
  | { type: 'releaseReservation'; at: string; reason: string }
  | { type: 'assignDriver'; at: string; driverId: string; offerId: string }
  | { type: 'giveUpMatching'; at: string }
  | { type: 'unassignDriver'; at: string; driverId: string; reason: string }
  | { type: 'reassign'; at: string; driverId: string; reason: string }
  /** `pickupDistanceMeters`: how far the driver was seen from the pickup; null where nobody could say. */
  | (Override & { type: 'arrive'; at: string; driverId: string; pickupDistanceMeters?: number | null })
  | (Override & { type: 'start'; at: string; driverId: string })
  | { type: 'reachStop'; at: string; driverId: string; stop: number }
  | { type: 'proposeRoute'; at: string; change: RouteChange }
  | { type: 'declineRoute'; at: string; changeId: string; by: 'rider' | 'driver' | 'payment'; reason: string }
  | { type: 'changeRoute'; at: string; changeId: string }
  | { type: 'adjustFare'; at: string; totalMinor: number; reason: string }
  | { type: 'complete'; at: string; driverId: string }
  | { type: 'forceComplete'; at: string; reason: string }
  /** `drivenMeters`: how far the ride has come; null where nobody could say. */
  | { type: 'endEarly'; at: string; by: 'rider' | 'operator'; reason: string; drivenMeters?: number | null }
  | { type: 'reportNoShow'; at: string; driverId: string }
  /**
   * `approachMeters`: how much nearer the driver has come since the assignment; null where nobody could say.
   * `agreedFeeMinor`: the fee that a preview has promised, still good.
   */
  | {
      type: 'cancelByRider';
      at: string;
      reason: string;
      approachMeters?: number | null;
      agreedFeeMinor?: number | null;
    }
  | { type: 'cancelByOperator'; at: string; reason: string };

export type RideCommandType = RideCommand['type'];

interface Transition {
  readonly from: readonly (RideStatus | 'nothing')[];
  readonly to: RideStatus | 'same';
  readonly fact: RideFactType;
}

/** The one table of a ride’s life. Guards, fact names, the diagram in the docs and tests come from it. */
export const rideTransitions: Readonly<Record<RideCommandType, Transition>> = {
  schedule: { from: ['nothing'], to: 'scheduled', fact: 'ride.scheduled' },
  reschedule: { from: ['scheduled'], to: 'same', fact: 'ride.rescheduled' },
  release: { from: ['scheduled'], to: 'requested', fact: 'ride.requested' },
  request: { from: ['nothing'], to: 'requested', fact: 'ride.requested' },
  startMatching: { from: ['requested'], to: 'matching', fact: 'ride.matching_started' },
  failPayment: { from: ['requested'], to: 'payment_failed', fact: 'ride.payment_failed' },
  reserveDriver: { from: ['matching'], to: 'same', fact: 'ride.driver_reserved' },
  releaseReservation: { from: ['matching'], to: 'same', fact: 'ride.driver_reservation_released' },
  assignDriver: { from: ['matching'], to: 'assigned', fact: 'ride.driver_assigned' },
  giveUpMatching: { from: ['matching'], to: 'no_driver', fact: 'ride.no_driver_found' },
  unassignDriver: { from: ['assigned', 'arrived'], to: 'matching', fact: 'ride.driver_unassigned' },
  reassign: { from: ['assigned', 'arrived'], to: 'matching', fact: 'ride.driver_unassigned' },
  arrive: { from: ['assigned'], to: 'arrived', fact: 'ride.driver_arrived' },
  start: { from: ['arrived'], to: 'in_progress', fact: 'ride.started' },
  reachStop: { from: ['in_progress'], to: 'same', fact: 'ride.stop_reached' },
  proposeRoute: { from: ['in_progress'], to: 'same', fact: 'ride.route_change_proposed' },
  declineRoute: { from: ['in_progress'], to: 'same', fact: 'ride.route_change_declined' },
  changeRoute: { from: ['in_progress'], to: 'same', fact: 'ride.route_changed' },
  adjustFare: { from: ['assigned', 'arrived', 'in_progress'], to: 'same', fact: 'ride.fare_adjusted' },
  complete: { from: ['in_progress'], to: 'completed', fact: 'ride.completed' },
  forceComplete: { from: ['in_progress'], to: 'completed', fact: 'ride.completed' },
  endEarly: { from: ['in_progress'], to: 'completed', fact: 'ride.completed' },
  reportNoShow: { from: ['arrived'], to: 'cancelled', fact: 'ride.cancelled' },
  cancelByRider: {
    from: ['scheduled', 'requested', 'matching', 'assigned', 'arrived'],
    to: 'cancelled',
    fact: 'ride.cancelled',
  },
  cancelByOperator: {
    from: ['scheduled', 'requested', 'matching', 'assigned', 'arrived', 'in_progress'],
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
