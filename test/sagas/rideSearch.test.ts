import { ApplicationFailure } from '@temporalio/common';
import { standardPolicies } from '../../domain/policies';
import { rideRequest } from '../support/rides';
import { eventually, startRideSaga } from '../support/rideSaga';
import type { RideSaga } from '../support/rideSaga';

/** Searches that something goes wrong with. Each has a test server of its own, as time passes in them. */
let saga: RideSaga;

beforeEach(async () => {
  saga = await startRideSaga();
});
afterEach(() => saga?.stop());

const free = { offerId: null, rideId: null };
/** Once, the offers go out and the workflow never hears of them; `meanwhile` is what drivers do before it goes on. */
const loseTheAnswer = (meanwhile: () => Promise<unknown> = () => Promise.resolve()): void => {
  saga.instead.offerRide = async (round) => {
    delete saga.instead.offerRide;
    await saga.activities.dispatch.offerRide(round);
    await meanwhile();
    throw ApplicationFailure.nonRetryable('lost in a test', 'lost');
  };
};

const offerStates = async (rideId: string): Promise<string[]> => {
  const { rows } = await saga.pool.query<{ state: string }>(
    'select state from offers where ride_id = $1 order by round, driver_id',
    [rideId],
  );
  return rows.map(({ state }) => state);
};

describe('offers that went out although nobody knows', () => {
  it('are closed: the drivers are free, and are asked again', async () => {
    loseTheAnswer();
    await saga.drivers('driver-1');
    const rideId = await saga.request();
    await eventually(async () => (await offerStates(rideId)).length === 2 || undefined);
    expect(await offerStates(rideId)).toEqual(['expired', 'offered']);
    await saga.accept('driver-1');
    expect(await saga.lease('driver-1')).toEqual({ offerId: null, rideId });
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('have a winner like any: the ride is theirs when the round is closed', async () => {
    loseTheAnswer(() => saga.accept('driver-1', { update: false }));
    await saga.drivers('driver-1');
    const rideId = await saga.request();
    const ride = await saga.until(rideId, ({ status }) => status === 'assigned');
    expect(ride).toMatchObject({ driverId: 'driver-1' });
    expect(await offerStates(rideId)).toEqual(['accepted']);
    expect(await saga.lease('driver-1')).toEqual({ offerId: null, rideId });
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });
});

it('drivers who sleep do not keep the ride from one further away who is awake', async () => {
  const sleepers = ['sleeper-1', 'sleeper-2', 'sleeper-3'];
  // At the end of the map: no time that an offer could lose makes them the next by the clock alone.
  await saga.drivers(...sleepers, ...Array.from({ length: 9 }, (_, i) => `busy-${i}`), 'awake');
  await saga.pool.query(`update drivers set online = false where driver_id like 'busy-%'`);
  const rideId = await saga.request();
  for (const driverId of sleepers) await saga.offerTo(driverId);
  await saga.env.sleep(standardPolicies.offerTtlMs + 1_000);
  await saga.accept('awake');
  expect(await saga.ride(rideId)).toMatchObject({ status: 'assigned', driverId: 'awake' });
  await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
});

describe('a winner who is none any more when the round is closed', () => {
  it.each([
    ['offer_over', `update offers set state = 'withdrawn' where driver_id = $1`],
    ['driver_busy', `update drivers set ride_id = gen_random_uuid(), offer_id = null where driver_id = $1`],
  ])('%s: the search goes on, and the next one gets the ride', async (code, loseTheLease) => {
    const refusals: (string | undefined)[] = [];
    saga.before.assignDriver = async (step) => {
      await saga.pool.query(loseTheLease, ['driver-1']);
      refusals.push(await refusalIn(saga.activities.transitions.assignDriver(step)));
      await saga.drivers('driver-2');
    };
    await saga.drivers('driver-1');
    const rideId = await saga.request({}, { offerTtlMs: 5_000 });
    await saga.accept('driver-1', { update: false });
    await saga.env.sleep(6_000);
    await eventually(async () => {
      await saga.env.sleep(1_000);
      const { rows } = await saga.pool.query<object>(
        `select 1 from offers where driver_id = 'driver-2' and state = 'offered'`,
      );
      return rows[0];
    });
    expect(refusals).toEqual([code]);
    expect((await saga.ride(rideId)).status).toBe('matching');
    await saga.accept('driver-2');
    expect(await saga.ride(rideId)).toMatchObject({ status: 'assigned', driverId: 'driver-2' });
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  /** The type of the failure, which is the domain's code. */
  const refusalIn = (step: Promise<unknown>): Promise<string | undefined> =>
    step.then(
      () => undefined,
      (error: unknown) => (error as ApplicationFailure).type ?? undefined,
    );
});

describe('a reserved driver', () => {
  /** A driver under way, whose next ride stands reserved where the present one ends. */
  async function reserved() {
    const { rideId: present, driverId } = await saga.arrived();
    await saga.update(present, 'start', { driverId });
    const rideId = await saga.request({ pickup: rideRequest().dropoff }, { reservationMs: 60_000 });
    await saga.accept(driverId);
    return { present, rideId, driverId };
  }
  const nextOf = async (driverId: string): Promise<string | null> => {
    const { rows } = await saga.pool.query<{ next: string | null }>(
      'select next_ride_id as next from drivers where driver_id = $1',
      [driverId],
    );
    return rows[0]!.next;
  };

  it('who is not free in time is given up: the search goes on, without that driver', async () => {
    const { present, rideId, driverId } = await reserved();
    await saga.env.sleep(30_000);
    expect(await nextOf(driverId)).toBe(rideId);
    await saga.drivers('driver-2');
    await saga.env.sleep(40_000);
    await saga.accept('driver-2');
    expect(await saga.factTypes(rideId)).toEqual([
      ...['ride.requested', 'ride.matching_started', 'ride.driver_reserved'],
      ...['ride.driver_reservation_released', 'ride.driver_assigned'],
    ]);
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: present });
    expect(await nextOf(driverId)).toBeNull();
    const { rows } = await saga.pool.query<{ count: number }>(
      'select count(*) as count from offers where ride_id = $1 and driver_id = $2',
      [rideId, driverId],
    );
    expect(rows[0]!.count).toBe(1);
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
    await saga.update(present, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('whose drop-off nobody told of is found free at the deadline', async () => {
    const { present, rideId, driverId } = await reserved();
    // As the present ride's worker would that is lost right after, and stays away.
    const { version } = await saga.ride(present);
    await saga.activities.transitions.complete({
      stepId: `${present}/complete/lost`,
      aggregateId: present,
      expectedVersion: version,
      fact: {
        type: 'ride.completed',
        at: new Date(await saga.env.currentTimeMs()).toISOString(),
        data: { driverId, chargeMinor: 1_500, currency: 'USD' },
      },
    });
    await saga.env.sleep(30_000);
    expect((await saga.ride(rideId)).status).toBe('matching');
    await saga.env.sleep(40_000);
    await saga.until(rideId, (ride) => ride.status === 'assigned' && ride.driverId === driverId);
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId });
    expect(await nextOf(driverId)).toBeNull();
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });
});

describe('a saga that fails', () => {
  const broken = (): never => {
    throw ApplicationFailure.nonRetryable('broken in a test', 'broken');
  };

  it('before the search ends its ride, and the hold goes', async () => {
    saga.before.startMatching = () => Promise.resolve(broken());
    const rideId = await saga.request();
    expect(await saga.result(rideId)).toBe('cancelled');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'saga_failed', chargeMinor: 0 });
    await saga.untilPayment(rideId, 'voided');
  });

  it('in the search ends its ride: drivers are free, and the hold goes', async () => {
    saga.instead.closeOffers = () => Promise.resolve(broken());
    await saga.drivers('driver-1');
    const rideId = await saga.request({}, { offerTtlMs: 5_000 });
    await saga.offerTo('driver-1');
    await saga.env.sleep(6_000);
    expect(await saga.result(rideId)).toBe('cancelled');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'saga_failed' });
    expect(await offerStates(rideId)).toEqual(['withdrawn']);
    expect(await saga.lease('driver-1')).toEqual(free);
    await saga.untilPayment(rideId, 'voided');
  });
});
