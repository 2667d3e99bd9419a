import { standardPolicies } from '../../domain/policies';
import { decideRide } from '../../domain/decideRide';
import { foldRide } from '../../domain/foldRide';
import type { PaymentMethod, Ride, RideCommand, RideFact, RideRequest } from '../../domain/ride';

/** The words that tests tell rides in. */

export const rideId = '01890a5d-ac96-774b-bcce-b302099a8057';
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
  dropoff: { lat: 40.76, lng: -73.97 },
  distanceMeters: 4_200,
  durationSeconds: 900,
  fare: { currency: 'USD', totalMinor: 1_500, lines: [{ kind: 'base', amountMinor: 1_500 }] },
  paymentMethod: { type: 'card', token: 'pm_card_visa' } satisfies PaymentMethod,
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
