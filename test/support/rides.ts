import { DomainError } from '../../domain/errors';
import { standardPolicies } from '../../domain/policies';
import { decideRide } from '../../domain/decideRide';
import { foldRide } from '../../domain/foldRide';
import type { PaymentMethod, Ride, RideCommand, RideFact, RideRequest, RideStatus } from '../../domain/ride';

/** The words that tests tell rides in. */

export const rideId = '01890a5d-ac96-774b-bcce-b302099a8057';
export const changeId = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
export const offerId = '5b3e2c3e-7d0e-4c39-9a7e-0a3a0f6f2c11';
export const startOfStory = '2026-01-01T12:00:00.000Z';

/** A time so many milliseconds after the story's start. */
export const at = (ms: number): string => new Date(Date.parse(startOfStory) + ms).toISOString();

/** What a rider asks for, paid by card unless told otherwise. */
export const rideRequest = (changes: Partial<RideRequest> = {}): RideRequest => ({
  rideId,
  riderId: 'rider-1',
  quoteId: '0d9f7c52-9e5e-4a7e-8b0a-3a4d1d1c6e10',
  product: 'standard',
  pickup: { lat: 40.73, lng: -73.99 },
  stops: [],
  dropoff: { lat: 40.76, lng: -73.97 },
  distanceMeters: 4_200,
  durationSeconds: 900,
  surge: 1,
  fare: { currency: 'USD', totalMinor: 1_500, lines: [{ kind: 'base', amountMinor: 1_500 }] },
  paymentMethod: { type: 'card', token: 'pm_card_visa' } satisfies PaymentMethod,
  scheduledFor: null,
  ...changes,
});

/** The commands of a ride that goes as rides should, each with its time. */
export const standardRide: readonly RideCommand[] = [
  { type: 'request', at: at(0), request: rideRequest() },
  { type: 'startMatching', at: at(1_000) },
  { type: 'assignDriver', at: at(5_000), driverId: 'driver-1', offerId },
  { type: 'arrive', at: at(200_000), driverId: 'driver-1' },
  { type: 'start', at: at(260_000), driverId: 'driver-1' },
  { type: 'complete', at: at(1_200_000), driverId: 'driver-1' },
];

/** What becomes of a ride when these commands come one after another. */
export function play(commands: readonly RideCommand[]): { ride: Ride; facts: RideFact[] } {
  let ride: Ride | null = null;
  const facts: RideFact[] = [];
  for (const command of commands) {
    const fact = decideRide(command, ride, standardPolicies);
    facts.push(fact);
    ride = foldRide(ride, fact);
  }
  if (ride === null) throw new Error('no command, no ride');
  return { ride, facts };
}

/** One command of each kind at a time, as its sender might send it. */
export function everyCommand(time: string): RideCommand[] {
  const driver = { at: time, driverId: 'driver-1' };
  const said = { at: time, reason: 'said' };
  const later = rideRequest({ scheduledFor: new Date(Date.parse(time) + 7_200_000).toISOString() });
  const change = { changeId, ...route(rideRequest()) };
  return [
    { type: 'schedule', at: time, request: later },
    { type: 'reschedule', at: time, request: later },
    { type: 'release', at: time },
    { type: 'request', at: time, request: rideRequest() },
    { type: 'startMatching', at: time },
    { type: 'failPayment', ...said },
    { type: 'reserveDriver', ...driver, offerId },
    { type: 'releaseReservation', ...said },
    { type: 'assignDriver', ...driver, offerId },
    { type: 'giveUpMatching', at: time },
    { type: 'unassignDriver', ...driver, reason: 'flat_tyre' },
    { type: 'reassign', ...driver, ...said },
    { type: 'arrive', ...driver },
    { type: 'start', ...driver },
    { type: 'reachStop', ...driver, stop: 1 },
    { type: 'proposeRoute', at: time, change },
    { type: 'declineRoute', ...said, changeId, by: 'driver' },
    { type: 'changeRoute', at: time, changeId },
    { type: 'adjustFare', ...said, totalMinor: 2_000 },
    { type: 'complete', ...driver },
    { type: 'forceComplete', ...said },
    { type: 'endEarly', ...said, by: 'rider', drivenMeters: 2_100 },
    { type: 'reportNoShow', ...driver },
    { type: 'cancelByRider', ...said },
    { type: 'cancelByOperator', ...said },
  ];
}

const route = ({ stops, dropoff, distanceMeters, durationSeconds, fare }: RideRequest) => ({
  stops,
  dropoff,
  distanceMeters,
  durationSeconds,
  fare,
});

/** The code of the domain's refusal, or `no refusal`. */
export const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'no refusal';
};

/**
 * A ride that is in a status: scheduled, or the standard ride up to there, with a stop, a proposal and a reservation.
 */
export const rideThatIs = (status: RideStatus): Ride => {
  if (status === 'scheduled') return play([scheduling(7_200_000)]).ride;
  for (let length = 1; length <= standardRide.length; length += 1) {
    const { ride } = play(standardRide.slice(0, length));
    if (ride.status !== status) continue;
    return status === 'in_progress'
      ? { ...ride, stops: [ride.pickup], routeChange: { ...ride, changeId } }
      : status === 'matching'
        ? { ...ride, reservedDriverId: 'driver-1' }
        : ride;
  }
  throw new Error(`the standard ride is never ${status}`);
};

/** Asks for a ride so many milliseconds ahead of the story's start. */
export const scheduling = (aheadMs: number): Extract<RideCommand, { type: 'schedule' }> => ({
  type: 'schedule',
  at: at(0),
  request: rideRequest({ scheduledFor: at(aheadMs) }),
});
