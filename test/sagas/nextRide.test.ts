import { v7 as uuidv7 } from 'uuid';
import { goOffline } from '../../services/rides/drivers';
import { rideRequest } from '../support/rides';
import { startRideSaga } from '../support/rideSaga';
import type { RideSaga } from '../support/rideSaga';

/** A next ride is reserved for a driver about to finish: it stays in matching and becomes theirs at drop-off. */
let saga: RideSaga;

beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());
beforeEach(() => {
  saga.nearby.length = 0;
});

/** The next rider stands where the present one gets out. */
const next = { pickup: rideRequest().dropoff, dropoff: rideRequest().pickup };

async function underWay(): Promise<{ present: string; driverId: string }> {
  const { rideId, driverId } = await saga.arrived();
  await saga.update(rideId, 'start', { driverId });
  return { present: rideId, driverId };
}

async function reserved(): Promise<{ present: string; rideId: string; driverId: string }> {
  const { present, driverId } = await underWay();
  const rideId = await saga.request(next);
  await saga.accept(driverId);
  return { present, rideId, driverId };
}

const leases = async (driverId: string): Promise<object> => {
  const { rows } = await saga.pool.query<object>(
    'select offer_id as offer, ride_id as ride, next_ride_id as next from drivers where driver_id = $1',
    [driverId],
  );
  return rows[0]!;
};
const free = { offer: null, ride: null, next: null };

const endOfTest = (...rideIds: string[]): Promise<unknown> =>
  Promise.all(
    rideIds.map((rideId) => saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' })),
  );
const complete = (rideId: string, driverId: string) => saga.update(rideId, 'complete', { driverId });
const assignedTo = (rideId: string, driverId: string) =>
  saga.until(rideId, (ride) => ride.status === 'assigned' && ride.driverId === driverId);

describe('a reserved ride', () => {
  it('stays in matching, and the driver on the present one', async () => {
    const { present, rideId, driverId } = await reserved();
    expect(await saga.ride(rideId)).toMatchObject({ status: 'matching', reservedDriverId: driverId });
    expect(await saga.ride(present)).toMatchObject({ status: 'in_progress', driverId });
    expect(await leases(driverId)).toEqual({ offer: null, ride: present, next: rideId });
    await endOfTest(rideId, present);
  });

  it.each<[string, (present: string, driverId: string) => Promise<unknown>]>([
    ['is completed', complete],
    ['is ended early by the rider', (present) => endEarly(present, 'rider')],
    [
      'is completed by an operator',
      (present) => saga.update(present, 'forceComplete', { reason: 'app_dead' }),
    ],
    ['is cancelled by an operator', (present) => endOfTest(present)],
  ])('becomes the driver’s when the present one %s', async (_, end) => {
    const { present, rideId, driverId } = await reserved();
    await end(present, driverId);
    const ride = await assignedTo(rideId, driverId);
    expect(ride.reservedDriverId).toBeNull();
    expect(await leases(driverId)).toEqual({ offer: null, ride: rideId, next: null });
    const ended = await saga.ride(present);
    expect(Date.parse(ride.assignedAt!)).toBeGreaterThanOrEqual(Date.parse(ended.endedAt!));
    expect(await saga.factTypes(rideId)).toEqual([
      'ride.requested',
      'ride.matching_started',
      'ride.driver_reserved',
      'ride.driver_assigned',
    ]);
    await endOfTest(rideId);
  });

  const endEarly = (rideId: string, by: 'rider' | 'operator') =>
    saga.update(rideId, 'endEarly', { by, reason: 'here', drivenMeters: 1_000 });
});

describe('the drop-off and the accept', () => {
  it('drop-off first: the ride is the driver’s at once, without a reservation', async () => {
    const { present, driverId } = await underWay();
    const rideId = await saga.request(next);
    await saga.offerTo(driverId);
    await complete(present, driverId);
    await saga.accept(driverId);
    await assignedTo(rideId, driverId);
    expect(await saga.factTypes(rideId)).not.toContain('ride.driver_reserved');
    await endOfTest(rideId);
  });

  it('drop-off between the accept and the reservation: nobody tells, and yet the ride goes on', async () => {
    const { present, driverId } = await underWay();
    saga.before.reserveDriver = () => complete(present, driverId);
    const rideId = await saga.request(next);
    await saga.accept(driverId);
    const ride = await assignedTo(rideId, driverId);
    const ended = await saga.ride(present);
    expect(Date.parse(ride.assignedAt!)).toBeGreaterThanOrEqual(Date.parse(ended.endedAt!));
    await endOfTest(rideId);
  });
});

describe('a cancel of the reserved ride', () => {
  it('before the drop-off: the driver finishes the present ride, and is free', async () => {
    const { present, rideId, driverId } = await reserved();
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect(await leases(driverId)).toEqual({ offer: null, ride: present, next: null });
    await complete(present, driverId);
    expect(await saga.result(rideId)).toBe('cancelled');
    expect(await leases(driverId)).toEqual(free);
    expect(await saga.ride(rideId)).toMatchObject({ chargeMinor: 0, driverId: null });
  });

  it('at the drop-off, on the way to the lease: assigned, then cancelled, and the driver is free', async () => {
    const { present, rideId, driverId } = await reserved();
    let cancelled: Promise<unknown> = Promise.resolve();
    saga.before.assignDriver = () => {
      cancelled = saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
      return Promise.resolve();
    };
    await complete(present, driverId);
    expect(await saga.result(rideId)).toBe('cancelled');
    await cancelled;
    expect(await leases(driverId)).toEqual(free);
  });

  it('committed by a lost attempt just before the lease is taken: the cancel stands, and the driver is free', async () => {
    const { present, rideId, driverId } = await reserved();
    saga.before.assignDriver = (step) =>
      saga.activities.transitions.cancelByRider({
        ...step,
        stepId: `${rideId}/cancelByRider/lost`,
        fact: {
          type: 'ride.cancelled',
          at: step.fact.at,
          data: { by: 'rider', reason: 'lost', driverId: null, feeMinor: 0, currency: 'USD' },
        },
      });
    await complete(present, driverId);
    expect(await saga.result(rideId)).toBe('cancelled');
    expect(await leases(driverId)).toEqual(free);
  });
});

describe('a driver with a next ride', () => {
  it('gives it back: the search goes on with others, and the present ride is as it was', async () => {
    const { present, rideId, driverId } = await reserved();
    const other = `driver-${uuidv7()}`;
    await saga.drivers(other);
    await saga.update(rideId, 'unassign', { driverId, reason: 'end_of_shift' });
    expect(await leases(driverId)).toEqual({ offer: null, ride: present, next: null });
    await saga.accept(other);
    expect(await saga.ride(rideId)).toMatchObject({ driverId: other, reservedDriverId: null });
    await endOfTest(rideId, present);
  });

  it('gives it back at the drop-off: whichever is first, the driver ends up free or on it, never both', async () => {
    const { present, rideId, driverId } = await reserved();
    saga.before.releaseReservation = () => complete(present, driverId);
    await saga.update(rideId, 'unassign', { driverId, reason: 'end_of_shift' });
    expect(await saga.ride(rideId)).toMatchObject({ status: 'matching', reservedDriverId: null });
    expect(await leases(driverId)).toEqual(free);
    await endOfTest(rideId);
  });

  it('is asked for no third, and does not go offline', async () => {
    const { present, rideId, driverId } = await reserved();
    const third = await saga.request(next, { searchPauseMs: 100 });
    await saga.until(third, (ride) => ride.status === 'matching');
    const at = new Date().toISOString();
    await expect(goOffline(saga.pool, { driverId, at })).rejects.toMatchObject({ code: 'driver_busy' });
    await complete(present, driverId);
    await assignedTo(rideId, driverId);
    await expect(goOffline(saga.pool, { driverId, at })).rejects.toMatchObject({ code: 'driver_busy' });
    const { rowCount } = await saga.pool.query('select 1 from offers where ride_id = $1', [third]);
    expect(rowCount).toBe(0);
    await endOfTest(rideId, third);
  });
});

describe('who is asked while under way', () => {
  it('not a driver who has far to go, nor one at a pickup', async () => {
    const far = await underWay();
    const waiting = await saga.arrived();
    saga.nearby.splice(0, saga.nearby.length, far.driverId, waiting.driverId);
    // From here the present dropoff is 3.7 km away.
    const rideId = await saga.request({ pickup: rideRequest().pickup });
    await saga.until(rideId, (ride) => ride.status === 'matching');
    const offers = await saga.activities.dispatch.offerRide({
      ...{ rideId, round: 1, batchSize: 3, ttlMs: 20_000, radiusMeters: 6_000 },
      nextRideWithinSeconds: 240,
      quotedSecondMs: 1_000,
    });
    expect(offers).toBe(0);
    await endOfTest(rideId, far.present, waiting.rideId);
  });
});
