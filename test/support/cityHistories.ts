import type { PaymentFact } from '../../domain/paymentFacts';
import type { PaymentMethod, RideFact, RideRequest } from '../../domain/ride';

/** Rides that went as they should, and their payments, as facts. */
export interface History {
  readonly ride: RideFact[];
  readonly payment: PaymentFact[];
}

/** So many minutes after eight. */
export const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 8, minute)).toISOString();
const card: PaymentMethod = { type: 'card', token: 'pm_card_visa' };
const cash: PaymentMethod = { type: 'cash' };

const requestOf = (rideId: string, paymentMethod: PaymentMethod): RideRequest => ({
  rideId,
  riderId: `rider-of-${rideId}`,
  quoteId: `quote-of-${rideId}`,
  product: 'standard',
  pickup: { lat: 40.7, lng: -74 },
  stops: [],
  dropoff: { lat: 40.8, lng: -74 },
  distanceMeters: 11_000,
  durationSeconds: 1_200,
  fare: { currency: 'USD', totalMinor: 1_000, lines: [{ kind: 'base', amountMinor: 1_000 }] },
  paymentMethod,
  scheduledFor: null,
});
const requested = (rideId: string, paymentMethod: PaymentMethod): RideFact => ({
  type: 'ride.requested',
  at: at(0),
  data: requestOf(rideId, paymentMethod),
});
const matching: RideFact = { type: 'ride.matching_started', at: at(1), data: {} };
const assigned = (driverId: string, minute: number): RideFact => ({
  type: 'ride.driver_assigned',
  at: at(minute),
  data: { driverId, offerId: `offer-${driverId}-${minute}` },
});
const driven = (driverId: string, minute: number): RideFact[] => [
  assigned(driverId, minute),
  { type: 'ride.driver_arrived', at: at(minute + 2), data: { driverId } },
  { type: 'ride.started', at: at(minute + 3), data: { driverId } },
  { type: 'ride.completed', at: at(minute + 15), data: { driverId, chargeMinor: 1_000, currency: 'USD' } },
];
const opened = (rideId: string, method: PaymentMethod): PaymentFact => ({
  type: 'payment.opened',
  at: at(0),
  data: { rideId, riderId: `rider-of-${rideId}`, method, amountMinor: 1_000, currency: 'USD' },
});
const authorized = (rideId: string): PaymentFact => ({
  type: 'payment.authorized',
  at: at(1),
  data: { intentId: `pi_${rideId}`, amountMinor: 1_000, currency: 'USD' },
});
const captured = (rideId: string, driverId: string, amountMinor: number): PaymentFact => ({
  type: 'payment.captured',
  at: at(50),
  data: {
    intentId: `pi_${rideId}`,
    amountMinor,
    currency: 'USD',
    driverId,
    commissionMinor: amountMinor / 5,
  },
});

export const completedByCard = (rideId: string, driverId: string, minute: number): History => ({
  ride: [requested(rideId, card), matching, ...driven(driverId, minute)],
  payment: [
    opened(rideId, card),
    authorized(rideId),
    captured(rideId, driverId, 1_000),
    {
      type: 'payment.tip_charged',
      at: at(55),
      data: { intentId: 'pi_tip', tipMinor: 200, currency: 'USD', driverId },
    },
  ],
});

export const completedInCash = (rideId: string, driverId: string, minute: number): History => ({
  ride: [requested(rideId, cash), matching, ...driven(driverId, minute)],
  payment: [
    opened(rideId, cash),
    {
      type: 'payment.cash_settled',
      at: at(50),
      data: { amountMinor: 1_000, currency: 'USD', driverId, commissionMinor: 200 },
    },
  ],
});

export const cancelledByRider = (rideId: string, driverId: string, minute: number): History => ({
  ride: [
    requested(rideId, card),
    matching,
    assigned(driverId, minute),
    {
      type: 'ride.cancelled',
      at: at(minute + 4),
      data: { by: 'rider', reason: 'changed_mind', driverId, feeMinor: 500, currency: 'USD' },
    },
  ],
  payment: [opened(rideId, card), authorized(rideId), captured(rideId, driverId, 500)],
});

export const nobodyFound = (rideId: string): History => ({
  ride: [requested(rideId, card), matching, { type: 'ride.no_driver_found', at: at(6), data: {} }],
  payment: [
    opened(rideId, card),
    authorized(rideId),
    { type: 'payment.voided', at: at(7), data: { intentId: `pi_${rideId}` } },
  ],
});

export const declined = (rideId: string): History => ({
  ride: [
    requested(rideId, card),
    { type: 'ride.payment_failed', at: at(1), data: { reason: 'card_declined' } },
  ],
  payment: [opened(rideId, card), { type: 'payment.declined', at: at(1), data: { reason: 'card_declined' } }],
});

/** Requested for later and changed, waited for and changed under way. */
export function plannedAndChanged(rideId: string, driverId: string): History {
  const planned = { ...requestOf(rideId, cash), scheduledFor: at(60) };
  const changed = { ...planned, quoteId: `second-quote-of-${rideId}`, scheduledFor: at(90) };
  const changeId = `third-quote-of-${rideId}`;
  const fare = { currency: 'USD', totalMinor: 1_500, lines: [{ kind: 'base' as const, amountMinor: 1_500 }] };
  const change = {
    ...{ changeId, stops: [], dropoff: { lat: 40.9, lng: -74 } },
    ...{ distanceMeters: 22_000, durationSeconds: 2_400, fare },
  };
  return {
    ride: [
      { type: 'ride.scheduled', at: at(0), data: planned },
      { type: 'ride.rescheduled', at: at(5), data: changed },
      { type: 'ride.requested', at: at(70), data: changed },
      { type: 'ride.matching_started', at: at(71), data: {} },
      assigned(driverId, 72),
      { type: 'ride.driver_arrived', at: at(80), data: { driverId } },
      { type: 'ride.started', at: at(84), data: { driverId, waitingMinor: 70 } },
      { type: 'ride.route_change_proposed', at: at(85), data: change },
      { type: 'ride.route_changed', at: at(86), data: change },
      {
        type: 'ride.completed',
        at: at(99),
        data: { driverId, chargeMinor: 1_570, currency: 'USD', waitingMinor: 70 },
      },
    ],
    payment: [
      opened(rideId, cash),
      {
        type: 'payment.cash_settled',
        at: at(100),
        data: { amountMinor: 1_570, currency: 'USD', driverId, commissionMinor: 314 },
      },
    ],
  };
}
