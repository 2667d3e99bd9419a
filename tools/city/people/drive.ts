import type { RideView } from '../../../contracts/api/rides';
import { terminalRideStatuses } from '../../../domain/ride';
import { Refused, type App } from '../client/app';
import type { CityClock } from '../clock';
import type { Motion } from './motion';
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

/**
 * Takes a ride from whatever state it is in to its end: to the pickup, the code, the drive. Each round looks at the
 * ride as the API has it and does the next thing, so it goes on after any restart, of the city or of the services.
 */
export async function driveRide(rideId: string, wheel: Wheel): Promise<void> {
  for (let looks = 0; ; looks++) {
    const ride = await lookAt(rideId, wheel.app);
    if (ride === null || terminalRideStatuses.includes(ride.status)) return;
    if (ride.driverId !== null && ride.driverId !== wheel.driverId) return;
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

async function drive(ride: RideView, wheel: Wheel): Promise<void> {
  const { motion, clock } = wheel;
  const driveMs = wheel.street.planOf(ride)?.driveMs ?? ride.durationSeconds * 1_000;
  const drivenMs = (Date.now() - Date.parse(ride.startedAt ?? ride.requestedAt)) * clock.speed;
  const leftMs = Math.max(0, driveMs - drivenMs);
  motion.go(ride.dropoff, leftMs);
  await wheel.underWay(leftMs);
  await act(wheel, ride, 'complete');
}

/** Waits until this city time. False when the ride has changed meanwhile, which ends the waiting early. */
async function waitWatching(until: number, ride: RideView, wheel: Wheel): Promise<boolean> {
  const { clock } = wheel;
  for (;;) {
    const leftMs = (until - clock.now()) / clock.speed;
    if (leftMs <= 0) return true;
    await clock.waitReal(Math.min(leftMs, LOOK_EVERY_MS));
    if (leftMs <= LOOK_EVERY_MS) return true;
    const now = await lookAt(ride.rideId, wheel.app);
    if (now?.version !== ride.version) return false;
  }
}

/** Refusals that follow from what the other side did in the meantime: the next look at the ride tells. */
const overtaken = new Set(['illegal_transition', 'not_your_ride', 'ride_not_found', 'no_show_too_early']);

async function act(
  { app, clock, record }: Wheel,
  ride: RideView,
  what: 'arrive' | 'start' | 'complete' | 'no-show' | 'cancel',
  body?: unknown,
): Promise<void> {
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
