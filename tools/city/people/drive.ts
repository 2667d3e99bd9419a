import type { RideView } from '../../../contracts/api/rides';
import { ROAD_FACTOR, routeMeters } from '../../../domain/eta';
import { terminalRideStatuses } from '../../../domain/ride';
import { Refused, type App } from '../client/app';
import type { CityClock } from '../clock';
import type { RidePlan } from '../input/plan';
import { rate } from './habits/rate';
import { METERS_PER_SECOND_STRAIGHT, type Motion } from './motion';
import type { CityRecord } from './record';
import type { Street } from './street';

/** What a driver has at hand on a ride. */
export interface Wheel {
  readonly app: App;
  readonly driverId: string;
  readonly motion: Motion;
  readonly clock: CityClock;
  readonly street: Street;
  readonly record: CityRecord;
  /** Lets so much of the city's time pass on the way with a rider; offers for a next ride are answered meanwhile. */
  readonly underWay: (leftMs: number) => Promise<void>;
}

/** How often a driver who waits or drives to the pickup looks whether the ride is still on, in our own time. */
const LOOK_EVERY_MS = 3_000;
/** Between an attempt that came to nothing and the next look, in our own time. */
const BREATH_MS = 300;
/** An offer that was won is the driver's ride a moment later; when it is not, it is somebody else's. */
const LOOKS_FOR_ASSIGNMENT = 10;
/** How long a driver waits for who does not come before trying to leave, in the city's milliseconds. */
const PATIENCE_MS = 5 * 60_000;
/** On the road: as fast as to the pickup. */
const METERS_PER_SECOND = METERS_PER_SECOND_STRAIGHT * ROAD_FACTOR;

/**
 * Takes a ride from whatever state it is in to its end: to the pickup, the code, the drive. Each round looks at the
 * ride as the API has it and does the next thing, so it goes on after any restart, of the city or of the services.
 */
export async function driveRide(rideId: string, wheel: Wheel): Promise<void> {
  for (let looks = 0; ; looks++) {
    const ride = await lookAt(rideId, wheel.app);
    if (ride === null) return;
    if (ride.driverId !== null && ride.driverId !== wheel.driverId) return;
    if (terminalRideStatuses.includes(ride.status)) return partFrom(ride, wheel);
    if (ride.status === 'assigned') await toPickup(ride, wheel);
    else if (ride.status === 'arrived') await atPickup(ride, wheel);
    else if (ride.status === 'in_progress') await drive(ride, wheel);
    else if (looks < LOOKS_FOR_ASSIGNMENT) await wheel.clock.waitReal(BREATH_MS);
    else return;
  }
}

/** The ride as its driver sees it, or null when it is no longer theirs. */
async function lookAt(rideId: string, app: App): Promise<RideView | null> {
  try {
    return await app.get<RideView>(`/v1/rides/${rideId}`);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

async function toPickup(ride: RideView, wheel: Wheel): Promise<void> {
  const { motion, clock } = wheel;
  const wayMs = motion.timeTo(ride.pickup);
  motion.go(ride.pickup, wayMs);
  if (wheel.street.givesBack(ride)) {
    await clock.wait(wayMs / 2);
    stopHere(wheel);
    return act(wheel, ride, 'cancel', { reason: 'driver_cancelled' });
  }
  const arrivesAt = clock.now() + wayMs;
  if (await waitWatching(arrivesAt, ride, wheel))
    return act(wheel, ride, 'arrive', { position: motion.at(clock.now()) });
  stopHere(wheel);
}

async function atPickup(ride: RideView, wheel: Wheel): Promise<void> {
  const code = await wheel.street.askForCode(ride);
  if (code !== null) return act(wheel, ride, 'start', { code });
  const arrivedAt = Date.parse(ride.arrivedAt ?? ride.requestedAt);
  const waitedMs = (Date.now() - arrivedAt) * wheel.clock.speed;
  const stillOn = await waitWatching(wheel.clock.now() + PATIENCE_MS - waitedMs, ride, wheel);
  if (stillOn) await act(wheel, ride, 'no-show');
}

/** Drives to the next stop, or to the dropoff; on the way the rider may have another idea, or get out. */
async function drive(ride: RideView, wheel: Wheel): Promise<void> {
  if (ride.routeChange !== null) return answerRoute(ride, ride.routeChange.changeId, wheel);
  const { motion, clock, street } = wheel;
  const stop = ride.stops[ride.stopsReached];
  const drivenMs = (Date.now() - Date.parse(ride.startedAt ?? ride.requestedAt)) * clock.speed;
  const leftMs = Math.max(0, msToNextPlace(ride, street.planOf(ride)) - drivenMs);
  motion.go(stop ?? ride.dropoff, leftMs);
  if (!(await waitWatching(clock.now() + leftMs, ride, wheel, wheel.underWay))) return;
  await act(wheel, ride, stop === undefined ? 'complete' : `stops/${ride.stopsReached + 1}/reached`);
}

/** From the start of a ride to its next stop, or its dropoff, in the city's milliseconds. */
export function msToNextPlace(
  ride: Pick<RideView, 'pickup' | 'stops' | 'stopsReached' | 'dropoff' | 'durationSeconds'>,
  plan: Pick<RidePlan, 'pickup' | 'dropoff' | 'driveMs'> | undefined,
): number {
  const places = [ride.pickup, ...ride.stops, ride.dropoff];
  const wholeMeters = routeMeters(places);
  const partMeters = routeMeters(places.slice(0, ride.stopsReached + 2));
  // The plan has the time of its own way; what the ride goes further comes on top.
  const moreMeters = plan ? wholeMeters - routeMeters([plan.pickup, plan.dropoff]) : 0;
  const moreMs = (Math.max(0, moreMeters) / METERS_PER_SECOND) * 1_000;
  const wholeMs = (plan?.driveMs ?? ride.durationSeconds * 1_000) + moreMs;
  return wholeMeters === 0 ? wholeMs : wholeMs * (partMeters / wholeMeters);
}

/** The rider proposes to go further: the driver agrees or does not, and the ride is looked at anew. */
async function answerRoute(ride: RideView, changeId: string, wheel: Wheel): Promise<void> {
  const answer = wheel.street.goesFurther(ride) ? 'accept' : 'decline';
  await act(wheel, ride, `route-changes/${changeId}/${answer}`);
}

/** After the ride: what the driver thinks of the rider. */
async function partFrom(ride: RideView, { app, street, record }: Wheel): Promise<void> {
  const stars = street.planOf(ride)?.stars.driver ?? null;
  if (ride.status !== 'completed' || stars === null) return;
  await rate(app, { rideId: ride.rideId, by: 'driver', stars }, record);
}

/**
 * Waits until this city time, by `wait`. False when the ride has changed meanwhile, which ends the waiting early.
 */
async function waitWatching(
  until: number,
  ride: RideView,
  wheel: Wheel,
  wait = (cityMs: number): Promise<void> => wheel.clock.wait(cityMs),
): Promise<boolean> {
  const { clock } = wheel;
  const lookEveryMs = LOOK_EVERY_MS * clock.speed;
  for (;;) {
    const leftMs = until - clock.now();
    if (leftMs <= 0) return true;
    await wait(Math.min(leftMs, lookEveryMs));
    if (leftMs <= lookEveryMs) return true;
    const now = await lookAt(ride.rideId, wheel.app);
    if (now?.version !== ride.version) return false;
  }
}

/** Refusals that follow from what the other side did in the meantime: the next look at the ride tells. */
const overtaken = new Set([
  ...['illegal_transition', 'not_your_ride', 'ride_not_found', 'no_show_too_early'],
  ...['route_change_over', 'fare_not_covered', 'fare_change_under_way'],
]);

type Deed =
  | ('arrive' | 'start' | 'complete' | 'no-show' | 'cancel')
  | `stops/${number}/reached`
  | `route-changes/${string}/${'accept' | 'decline'}`;

async function act({ app, clock, record }: Wheel, ride: RideView, what: Deed, body?: unknown): Promise<void> {
  try {
    await app.post(`/v1/rides/${ride.rideId}/${what}`, body);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (!overtaken.has(error.code)) record.surprised(error);
    const { waitMs } = error.details;
    await clock.waitReal(typeof waitMs === 'number' ? waitMs : BREATH_MS);
  }
}

const stopHere = ({ motion, clock }: Wheel): void => motion.go(motion.at(clock.now()), 0);
