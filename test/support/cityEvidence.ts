import { catalogue } from '../../contracts/catalogue';
import { foldRide } from '../../domain/foldRide';
import { ledgerEntries } from '../../domain/ledger';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact } from '../../domain/paymentFacts';
import { standardPolicies } from '../../domain/policies';
import type { Ride, RideFact } from '../../domain/ride';
import {
  at,
  cancelledByRider,
  completedByCard,
  completedInCash,
  declined,
  nobodyFound,
  plannedAndChanged,
} from './cityHistories';
import type { ReceivedPost } from '../../tools/city/client/mailbox';
import type { SharedLook } from '../../tools/city/people/record';
import type {
  Evidence,
  LedgerLine,
  LogRecord,
  ProviderMovement,
  RecordedFact,
} from '../../tools/city/verdict/evidence';

/**
 * The evidence of a run as it should be: rides that end in the four ways, by card and in cash, for now and for later.
 */
export function soundEvidence(): Evidence {
  const histories = [
    completedByCard('ride-1', 'driver-1', 10),
    completedInCash('ride-2', 'driver-1', 30),
    cancelledByRider('ride-3', 'driver-2', 10),
    nobodyFound('ride-4'),
    declined('ride-5'),
    plannedAndChanged('ride-6', 'driver-3'),
  ];
  const rides = histories.map(({ ride }) => ride.reduce<Ride | null>(foldRide, null) as Ride);
  const payments = histories.map(
    ({ payment }) => payment.reduce<Payment | null>(foldPayment, null) as Payment,
  );
  const facts = [
    ...histories.flatMap(({ ride }, i) => recorded(rides[i]!.rideId, ride)),
    ...histories.flatMap(({ payment }, i) => recorded(payments[i]!.rideId, payment)),
    ...shiftOf('driver-2'),
    ...crossingsOf('driver-1'),
    ...beside,
  ];
  return {
    policies: standardPolicies,
    accepted: rides.map(({ rideId, riderId }) => ({
      rideId,
      riderId,
      quoteId: `quote-of-${rideId}`,
      key: `key-${rideId}`,
    })),
    repeated: [{ key: 'key-ride-1', first: answer('ride-1'), again: answer('ride-1') }],
    tips: [{ rideId: 'ride-1', tipMinor: 200 }],
    quotes: [
      ...rides.map(({ rideId }) => ({ quoteId: `quote-of-${rideId}`, totalMinor: 1_000 })),
      { quoteId: 'second-quote-of-ride-6', totalMinor: 1_100 },
      { quoteId: 'third-quote-of-ride-6', totalMinor: 1_500 },
    ],
    changes: [{ rideId: 'ride-6', isMade: true, quoteId: 'second-quote-of-ride-6', scheduledFor: at(90) }],
    cancels: [{ rideId: 'ride-3', previewedAt: at(13), previewedMinor: 500 }],
    ratings: [{ rideId: 'ride-1', by: 'rider', stars: 4 }],
    looks: [seen('ride-1'), { ...seen('ride-6'), takenBack: true, status: 404, body: {} }],
    webhooks: [
      { webhookId: 'hook-operator', role: 'operator', ownerId: 'operator-1', since: at(0) },
      { webhookId: 'hook-rider', role: 'rider', ownerId: 'rider-of-ride-3', since: at(1) },
    ],
    breaks: [{ driverId: 'driver-2' }],
    posts: facts
      .filter(({ topic }) => topic === 'rides')
      .flatMap((fact) => [
        postOf(fact, 'hook-operator'),
        ...(fact.key === 'ride-3' && fact.sequence > 1 ? [postOf(fact, 'hook-rider')] : []),
      ]),
    rides,
    claims: rides.map(({ rideId, riderId }) => ({ caller: riderId, key: `key-${rideId}`, rideId })),
    payments,
    facts,
    ledger: histories.flatMap(({ payment }, i) => booked(payments[i]!.rideId, payment)),
    parked: [],
    log: facts.map(published),
    deadLetters: { 'audit.dead-letter': 0 },
    movements: [
      taken('pi_ride-1', 'ride-1', 1_000),
      taken('pi_tip', 'ride-1', 200),
      taken('pi_ride-3', 'ride-3', 500),
    ],
    openAuthorizations: [],
    consumers: { audit: { applied: facts.length, lag: 0 } },
    audited: facts.map(({ id, topic }) => ({ id, topic })),
    analytics: { requested: 6, completed: 3, cancelled: 1, noDriver: 1 },
    notified: facts
      .filter(({ type }) => type === 'ride.requested')
      .map(({ id, key }) => ({
        factId: id,
        recipientId: `rider-of-${key}`,
        channel: 'push',
        template: 'ride_requested',
      })),
    ways: ['ride-1', 'ride-2', 'ride-6'],
  };
}

const taken = (intentId: string, rideId: string, amountMinor: number): ProviderMovement => ({
  ...{ kind: 'capture', intentId, rideId, amountMinor, netMinor: amountMinor, currency: 'USD' },
});

const answer = (rideId: string) => ({ status: 201, body: { rideId }, retryAfterMs: null });

const shiftOf = (driverId: string): RecordedFact[] =>
  (['online', 'offline', 'online'] as const).map((state, i) => ({
    id: `driver.went_${state}/${driverId}/${i + 1}`,
    topic: 'drivers',
    key: driverId,
    sequence: i + 1,
    type: `driver.went_${state}`,
    at: at(i + 1),
    data: { driverId },
  }));

const crossingsOf = (driverId: string): RecordedFact[] =>
  ['entered', 'left', 'entered'].map((how, i) => ({
    id: `zone.${how}/zones-of-${driverId}/${i + 1}`,
    topic: 'drivers',
    key: `zones-of-${driverId}`,
    sequence: i + 1,
    type: `zone.${how}`,
    at: at(10 + i),
    data: { driverId, zoneId: 'jfk', positionSequence: i },
  }));

const beside: RecordedFact[] = [
  {
    id: 'rating.given/rating-1/1',
    topic: 'ratings',
    key: 'rating-1',
    sequence: 1,
    type: 'rating.given',
    at: at(60),
    data: { rideId: 'ride-1', by: 'rider', stars: 4 },
  },
  {
    id: 'reconciliation.finished/run-1/1',
    topic: 'payments',
    key: 'run-1',
    sequence: 1,
    type: 'reconciliation.finished',
    at: at(61),
    data: { found: 0, repaired: 0, left: {}, unseen: [] },
  },
];

/** What a link to a ride showed under way. */
const seen = (rideId: string): SharedLook => ({
  rideId,
  takenBack: false,
  status: 200,
  body: {
    status: 'in_progress',
    pickup: { lat: 40.7, lng: -74 },
    stops: [],
    dropoff: { lat: 40.8, lng: -74 },
    driver: { name: 'Ada', plate: 'T-1', product: 'standard', position: null },
    expiresAt: at(600),
  },
});

const postOf = (
  { id: factId, key: rideId, sequence: version }: RecordedFact,
  webhookId: string,
): ReceivedPost => ({
  webhookId,
  signed: true,
  body: JSON.stringify({ factId, rideId, version }),
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
    ledgerEntries(fact).map((entry) => ({
      ...{ ...entry, rideId, kind: fact.type, transactionId: `${rideId} ${fact.type}` },
    })),
  );
