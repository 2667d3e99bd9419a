import { catalogue } from '../../contracts/catalogue';
import { foldRide } from '../../domain/foldRide';
import { ledgerEntries } from '../../domain/ledger';
import { foldPayment, type Payment, type PaymentFact } from '../../domain/payment';
import type { PaymentMethod, Ride, RideFact } from '../../domain/ride';
import type { Evidence, LedgerLine, LogRecord, RecordedFact } from '../../tools/city/verdict/evidence';

/** The evidence of a run as it should be: four rides that end in the four ways, by card and in cash. */
export function soundEvidence(): Evidence {
  const histories = [
    completedByCard('ride-1', 'driver-1', 10),
    completedInCash('ride-2', 'driver-1', 30),
    cancelledByRider('ride-3', 'driver-2', 10),
    nobodyFound('ride-4'),
    declined('ride-5'),
  ];
  const rides = histories.map(({ ride }) => ride.reduce<Ride | null>(foldRide, null) as Ride);
  const payments = histories.map(
    ({ payment }) => payment.reduce<Payment | null>(foldPayment, null) as Payment,
  );
  const facts = [
    ...histories.flatMap(({ ride }, i) => recorded(rides[i]!.rideId, ride)),
    ...histories.flatMap(({ payment }, i) => recorded(payments[i]!.rideId, payment)),
  ];
  return {
    accepted: rides.map(({ rideId, riderId, quoteId }) => ({
      rideId,
      riderId,
      quoteId,
      key: `key-${rideId}`,
    })),
    repeated: [{ key: 'key-ride-1', first: answer('ride-1'), again: answer('ride-1') }],
    tips: [{ rideId: 'ride-1', tipMinor: 200 }],
    rides,
    claims: rides.map(({ rideId, riderId }) => ({ caller: riderId, key: `key-${rideId}`, rideId })),
    payments,
    facts,
    ledger: histories.flatMap(({ payment }, i) => booked(payments[i]!.rideId, payment)),
    parked: [],
    log: facts.map(published),
    deadLetters: { 'audit.dead-letter': 0 },
    movements: [
      { kind: 'capture', intentId: 'pi_ride-1', rideId: 'ride-1', amountMinor: 1_000, currency: 'USD' },
      { kind: 'capture', intentId: 'pi_tip', rideId: 'ride-1', amountMinor: 200, currency: 'USD' },
      { kind: 'capture', intentId: 'pi_ride-3', rideId: 'ride-3', amountMinor: 500, currency: 'USD' },
    ],
    openAuthorizations: [],
    consumers: { audit: { applied: facts.length, lag: 0 } },
    audited: facts.map(({ id, topic }) => ({ id, topic })),
    analytics: { requested: 5, completed: 2, cancelled: 1, noDriver: 1 },
    notified: rides.map(({ rideId, riderId }) => ({
      factId: `ride.requested/${rideId}/1`,
      recipientId: riderId,
      channel: 'push',
      template: 'ride_requested',
    })),
  };
}

interface History {
  readonly ride: RideFact[];
  readonly payment: PaymentFact[];
}

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 8, minute)).toISOString();
const answer = (rideId: string) => ({ status: 201, body: { rideId }, retryAfterMs: null });
const card: PaymentMethod = { type: 'card', token: 'pm_card_visa' };
const cash: PaymentMethod = { type: 'cash' };

const requested = (rideId: string, paymentMethod: PaymentMethod): RideFact => ({
  type: 'ride.requested',
  at: at(0),
  data: {
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
  },
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

const completedByCard = (rideId: string, driverId: string, minute: number): History => ({
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

const completedInCash = (rideId: string, driverId: string, minute: number): History => ({
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

const cancelledByRider = (rideId: string, driverId: string, minute: number): History => ({
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

const nobodyFound = (rideId: string): History => ({
  ride: [requested(rideId, card), matching, { type: 'ride.no_driver_found', at: at(6), data: {} }],
  payment: [
    opened(rideId, card),
    authorized(rideId),
    { type: 'payment.voided', at: at(7), data: { intentId: `pi_${rideId}` } },
  ],
});

const declined = (rideId: string): History => ({
  ride: [
    requested(rideId, card),
    { type: 'ride.payment_failed', at: at(1), data: { reason: 'card_declined' } },
  ],
  payment: [opened(rideId, card), { type: 'payment.declined', at: at(1), data: { reason: 'card_declined' } }],
});

function recorded(rideId: string, facts: readonly (RideFact | PaymentFact)[]): RecordedFact[] {
  return facts.map(({ type, at: time, data }, i) => ({
    id: `${type}/${rideId}/${i + 1}`,
    topic: catalogue.find((entry) => entry.type === type)!.topic,
    key: rideId,
    sequence: i + 1,
    type,
    at: time,
    data,
  }));
}

const published = ({ topic, key, id, sequence }: RecordedFact, offset: number): LogRecord => ({
  topic,
  partition: 0,
  offset,
  key,
  id,
  sequence,
});

const booked = (rideId: string, facts: readonly PaymentFact[]): LedgerLine[] =>
  facts.flatMap((fact) =>
    ledgerEntries(fact).map((entry) => ({ ...entry, rideId, transactionId: `${rideId} ${fact.type}` })),
  );
