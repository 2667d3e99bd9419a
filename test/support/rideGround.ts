import { v7 as uuidv7 } from 'uuid';
import { foldRide } from '../../domain/foldRide';
import type { Charged } from '../../domain/paymentCalls';
import { drivingStatuses, hasEnded } from '../../domain/ride';
import type { Ride, RideFact, RideRequest, RouteChange } from '../../domain/ride';
import { stepsOf } from '../../platform/outbox';
import { rideRequest } from './rides';
import type { RideSaga } from './rideSaga';

/** Rides brought to where a test begins, and what must hold of every ride, whatever came. */

export interface Story {
  readonly rideId: string;
  /** Who drives it, or has its offer. */
  readonly driverId: string;
}

export const HOUR = 3_600_000;

/** 1500, of which the distance is two thirds, and a stop on the way; 1850 is held for it. */
export const asked: Pick<RideRequest, 'stops' | 'fare'> = {
  stops: [{ lat: 40.74, lng: -73.98 }],
  fare: {
    currency: 'USD',
    totalMinor: 1_500,
    lines: [
      { kind: 'base', amountMinor: 500 },
      { kind: 'distance', amountMinor: 1_000 },
    ],
  },
};

/** A ride for later, in two hours. */
export const scheduled = async (saga: RideSaga): Promise<Story> => ({
  rideId: await saga.schedule(2 * HOUR),
  driverId: '',
});

/** A ride whose payment waits for the provider, until the test answers for it. */
export async function unpaid(saga: RideSaga): Promise<Story & { answer: (charged: Charged) => void }> {
  const authorization = saga.provider.late<'authorize', Charged>('authorize');
  const rideId = await saga.request(asked);
  await authorization.asked;
  return { rideId, driverId: '', answer: authorization.release };
}

/** A ride that searches, and a new driver who has its offer. */
export async function offered(saga: RideSaga, request: Partial<RideRequest> = asked): Promise<Story> {
  const driverId = `driver-${uuidv7()}`;
  saga.nearby.length = 0;
  await saga.drivers(driverId);
  const rideId = await saga.request(request);
  await saga.offerTo(driverId);
  return { rideId, driverId };
}

export async function assigned(saga: RideSaga): Promise<Story> {
  const story = await offered(saga);
  await saga.accept(story.driverId);
  return story;
}

export async function arrived(saga: RideSaga): Promise<Story> {
  const story = await assigned(saga);
  await saga.update(story.rideId, 'arrive', story);
  return story;
}

export async function underWay(saga: RideSaga): Promise<Story> {
  const story = await arrived(saga);
  await saga.update(story.rideId, 'start', story);
  return story;
}

/** A ride under way whose rider proposes another way from here on, at this fare. */
export async function proposed(
  saga: RideSaga,
  totalMinor = 1_500,
): Promise<Story & { readonly changeId: string }> {
  const story = await underWay(saga);
  const change = anotherWay(totalMinor);
  await saga.update(story.rideId, 'proposeRoute', { change });
  return { ...story, changeId: change.changeId };
}

/** Another way than that of these rides, with the same stop. */
export const anotherWay = (totalMinor: number): RouteChange => ({
  ...{ changeId: uuidv7(), stops: asked.stops, distanceMeters: 5_000, durationSeconds: 1_000 },
  dropoff: { lat: 40.77, lng: -73.96 },
  fare: { currency: 'USD', totalMinor, lines: [{ kind: 'base', amountMinor: totalMinor }] },
});

/** A driver under way who has the offer of a next ride, which begins where the present one ends. */
export async function offeredNext(saga: RideSaga): Promise<Story & { present: string }> {
  // On the way of these rides there is no stop: the end is near enough.
  const { rideId: present, driverId } = await saga.arrived();
  await saga.update(present, 'start', { driverId });
  const rideId = await saga.request({ pickup: rideRequest().dropoff });
  await saga.offerTo(driverId);
  return { rideId, driverId, present };
}

/** The ride's facts, in order. */
export async function factsOf(saga: RideSaga, rideId: string): Promise<RideFact[]> {
  const steps = await stepsOf<RideFact>(saga.pool, rideId);
  expect(steps.map(({ version }) => version)).toEqual(steps.map((_, i) => i + 1));
  return steps.map(({ fact }) => fact);
}

/**
 * What must hold of a ride at any time: its facts leave no gap, are the outbox's and fold to its row; the lease of its
 * driver, or of the one whom it has reserved, is the only one on it; and who has an open offer of it holds that.
 */
export async function expectSound(saga: RideSaga, rideId: string): Promise<Ride> {
  const facts = await factsOf(saga, rideId);
  const ride = await saga.ride(rideId);
  expect(ride).toEqual(facts.reduce<Ride | null>(foldRide, null));
  const sent = await saga.pool.query<{ type: string; sequence: number }>(
    `select headers ->> 'ce_type' as type, (headers ->> 'ce_sequence')::integer as sequence
     from outbox where key = $1 order by id`,
    [rideId],
  );
  expect(sent.rows).toEqual(facts.map(({ type }, i) => ({ type, sequence: i + 1 })));

  const { rows: leases } = await saga.pool.query<{ as: string; driver: string }>(
    `select 'driver' as as, driver_id as driver from drivers where ride_id = $1
     union all select 'next', driver_id from drivers where next_ride_id = $1
     union all select 'offered', driver_id from drivers where offer_id in (select offer_id from offers where ride_id = $1)
     order by 1, 2`,
    [rideId],
  );
  const { rows: open } = await saga.pool.query<{ as: string; driver: string }>(
    `select 'offered' as as, driver_id as driver from offers where ride_id = $1 and state = 'offered' order by 2`,
    [rideId],
  );
  if (ride.status !== 'matching' || ride.reservedDriverId !== null) expect(open).toEqual([]);
  expect(leases).toEqual([
    ...(drivingStatuses.includes(ride.status) ? [{ as: 'driver', driver: ride.driverId }] : []),
    ...(ride.reservedDriverId === null ? [] : [{ as: 'next', driver: ride.reservedDriverId }]),
    ...open,
  ]);
  return ride;
}

/**
 * Ends a ride, unless it has ended, and says what its payment asked of the provider until all was settled: charged what
 * is owed, or nothing held any more.
 */
export async function settle(saga: RideSaga, rideId: string): Promise<string[]> {
  const ride = await saga.ride(rideId);
  const word = { by: 'operator', reason: 'end_of_test' };
  if (ride.status === 'scheduled') await saga.waiting(rideId).executeUpdate('cancel', { args: [word] });
  else if (!hasEnded(ride)) await saga.update(rideId, 'cancel', word);
  const { status, chargeMinor } = await expectSound(saga, rideId);
  const facts = await factsOf(saga, rideId);
  const isPaidFor = facts.some(({ type }) => type === 'ride.requested');
  if (isPaidFor) {
    expect(await saga.result(rideId)).toBe(status);
    const end = status === 'payment_failed' ? 'failed' : chargeMinor! > 0 ? 'captured' : 'voided';
    await saga.untilPayment(rideId, end);
  }
  return saga.provider.asked(rideId);
}
