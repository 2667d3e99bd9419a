import { answer, fact, ofRide, put, withFact, withId, without, type Case } from './doctor';

/** What breaks the promises on requests, rides and drivers. */
export const ridesCases: readonly Case[] = [
  [
    'every2xxFoundAgain',
    'an accepted ride is gone',
    'ride ride-9 was accepted',
    (e) => e.accepted.push({ rideId: 'ride-9', riderId: 'r', quoteId: 'q', key: 'k' }),
  ],
  [
    'every2xxFoundAgain',
    "an accepted ride is somebody else's",
    'ride ride-1 is of',
    (e) => void (e.accepted = put(e.accepted, ofRide('ride-1'), { riderId: 'rider-9' })),
  ],
  [
    'every2xxFoundAgain',
    'a claim is gone',
    'has lost its claim',
    (e) => void (e.claims = without(e.claims, ofRide('ride-2'))),
  ],
  [
    'every2xxFoundAgain',
    'a tip is gone',
    'the tip of 300',
    (e) => e.tips.push({ rideId: 'ride-1', tipMinor: 300 }),
  ],
  [
    'sameKeySameAnswer',
    'a repeat has another body',
    'key k',
    (e) => e.repeated.push({ key: 'k', first: answer(201, 'a'), again: answer(201, 'b') }),
  ],
  [
    'sameKeySameAnswer',
    'a repeat has another status',
    'then 409',
    (e) => e.repeated.push({ key: 'k', first: answer(201, 'a'), again: answer(409, 'a') }),
  ],
  [
    'sameKeySameAnswer',
    'two keys claim one ride',
    'two claims',
    (e) => e.claims.push({ caller: 'x', key: 'y', rideId: 'ride-1' }),
  ],
  [
    'oneTerminalState',
    'a ride has no end',
    'ends: none',
    (e) => void (e.facts = without(e.facts, withId('ride.no_driver_found/ride-4/3'))),
  ],
  [
    'oneTerminalState',
    'a ride ends twice',
    'ends: ride.completed, ride.cancelled',
    (e) => e.facts.push({ ...fact(e, 'ride.cancelled/ride-3/4'), key: 'ride-1', sequence: 7 }),
  ],
  [
    'oneTerminalState',
    'a ride goes on after its end',
    'goes on after',
    (e) => e.facts.push({ ...fact(e, 'ride.matching_started/ride-4/2'), key: 'ride-4', sequence: 4 }),
  ],
  [
    'legalTransitionsOnly',
    'a ride starts before its driver arrives',
    'ride.started while assigned',
    (e) => void (e.facts = without(e.facts, withId('ride.driver_arrived/ride-1/4'))),
  ],
  [
    'legalTransitionsOnly',
    'a payment is captured before it is authorized',
    'while authorizing',
    (e) => void (e.facts = without(e.facts, withId('payment.authorized/ride-1/2'))),
  ],
  [
    'foldingFactsGivesRow',
    'a ride is not what its facts say',
    'ride ride-1 is not',
    (e) => void (e.rides = put(e.rides, ofRide('ride-1'), { chargeMinor: 999 })),
  ],
  [
    'foldingFactsGivesRow',
    'a fact is not what its ride says',
    'ride ride-1 is not',
    (e) => withFact(e, 'ride.completed/ride-1/6', { at: '2026-01-01T08:26:00.000Z' }),
  ],
  [
    'foldingFactsGivesRow',
    'a ride has no row',
    'ride-2 has facts and no row',
    (e) => void (e.rides = without(e.rides, ofRide('ride-2'))),
  ],
  [
    'foldingFactsGivesRow',
    'a payment is not what its facts say',
    'payment ride-1 is not',
    (e) => void (e.payments = put(e.payments, ofRide('ride-1'), { tipMinor: 1 })),
  ],
  [
    'noDriverOnTwoLiveRides',
    'a driver takes a ride while on another',
    'driver-1 was on ride',
    (e) => withFact(e, 'ride.driver_assigned/ride-2/3', { at: '2026-01-01T08:24:00.000Z' }),
  ],
  [
    'noDriverOnTwoLiveRides',
    'a ride never let go of its driver',
    'while on ride-1',
    (e) => void (e.facts = without(e.facts, withId('ride.completed/ride-1/6'))),
  ],
  [
    'everyRideHasItsWay',
    'nobody knows where a ride went',
    'of ride ride-2 no way',
    (e) => void (e.ways = e.ways.filter((rideId) => rideId !== 'ride-2')),
  ],
  [
    'zonesAreEnteredAndLeftInTurn',
    'a driver leaves a zone twice',
    'zone.left/zones-of-driver-1/3 is said out of turn',
    (e) =>
      withFact(e, 'zone.entered/zones-of-driver-1/3', {
        type: 'zone.left',
        id: 'zone.left/zones-of-driver-1/3',
      }),
  ],
];
