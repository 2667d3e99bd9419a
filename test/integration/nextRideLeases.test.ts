import type { RideCommand } from '../../domain/ride';
import { createPool, type Pool } from '../../platform/postgres';
import { goOffline } from '../../services/rides/drivers';
import { driverLease } from '../../services/rides/leases';
import { acceptOffer } from '../../services/rides/offers';
import { getRide } from '../../services/rides/store';
import { inOrder } from '../support/heldTransaction';
import { askable, now, offer, offersOf, onlineDrivers, record, searchingRide } from '../support/offerGround';
import { createDatabase } from '../support/servers';

let pool: Pool;
beforeAll(async () => {
  pool = createPool(await createDatabase('rides'), { applicationName: 'test', max: 12 });
});
afterAll(() => pool?.end());

const step = async (rideId: string, command: RideCommand) => record(pool, rideId, command);

/** A ride that has an offer to the driver, accepted. */
async function won(driverId: string): Promise<{ rideId: string; offerId: string }> {
  const rideId = await searchingRide(pool);
  expect(await offer(pool, rideId, [driverId])).toBe(1);
  const { offerId } = (await offersOf(pool, rideId)).get(driverId)!;
  await acceptOffer(pool, { offerId, driverId, now: now() });
  return { rideId, offerId };
}

/** A driver under way who has won a next ride, and what may happen to either; steps on the versions of now. */
async function nextWon() {
  const [driverId] = (await onlineDrivers(pool, 1)) as [string];
  const present = await won(driverId);
  await step(present.rideId, { type: 'assignDriver', at: now(), driverId, offerId: present.offerId });
  await step(present.rideId, { type: 'arrive', at: now(), driverId });
  await step(present.rideId, { type: 'start', at: now(), driverId });
  const { rideId, offerId } = await won(driverId);
  return { driverId, present: present.rideId, rideId, offerId };
}

type Story = Awaited<ReturnType<typeof nextWon>>;

async function moves({ driverId, present, rideId, offerId }: Story) {
  const [presentRide, ride] = [(await getRide(pool, present))!, (await getRide(pool, rideId))!];
  const reason = 'said';
  return {
    reserve: (db: Pool) => record(db, rideId, { type: 'reserveDriver', at: now(), driverId, offerId }, ride),
    assign: (db: Pool) => record(db, rideId, { type: 'assignDriver', at: now(), driverId, offerId }, ride),
    release: (db: Pool) => record(db, rideId, { type: 'releaseReservation', at: now(), reason }, ride),
    cancel: (db: Pool) => record(db, rideId, { type: 'cancelByRider', at: now(), reason }, ride),
    complete: (db: Pool) => record(db, present, { type: 'complete', at: now(), driverId }, presentRide),
    goOffline: (db: Pool) => goOffline(db, { driverId, at: now() }),
  };
}

/** The same with the reservation made. */
async function reserved(): Promise<Story & Awaited<ReturnType<typeof moves>>> {
  const story = await nextWon();
  await (await moves(story)).reserve(pool);
  expect(await driverLease(pool, story.driverId)).toEqual({
    rideId: story.present,
    nextRideId: story.rideId,
  });
  return { ...story, ...(await moves(story)) };
}

const done = (state: object) => ({ done: { applied: true, state } });

describe('the drop-off and the next ride', () => {
  test('drop-off first but not committed: the lease is refused, and taken by whoever is told after the commit', async () => {
    const { complete, assign, driverId, rideId } = await reserved();
    const race = await inOrder(pool, complete, assign);
    expect(race).toMatchObject({
      first: { done: { state: { status: 'completed' }, lease: { rideId: null, nextRideId: rideId } } },
      second: { refused: 'driver_busy' },
    });
    expect({ done: await assign(pool) }).toMatchObject(done({ status: 'assigned', driverId }));
    expect(await driverLease(pool, driverId)).toEqual({ rideId, nextRideId: null });
  });

  test('the lease first: refused, the driver is on the present ride; the drop-off then says whose turn it is', async () => {
    const { complete, assign, driverId, rideId } = await reserved();
    const race = await inOrder(pool, assign, complete);
    expect(race).toMatchObject({ first: { refused: 'driver_busy' }, second: { done: { applied: true } } });
    expect(await driverLease(pool, driverId)).toEqual({ rideId: null, nextRideId: rideId });
  });

  test('drop-off and reservation: whoever is second sees the other', async () => {
    const one = await nextWon();
    const first = await moves(one);
    expect(await inOrder(pool, first.complete, first.reserve)).toMatchObject({
      second: { done: { lease: { rideId: null, nextRideId: one.rideId } } },
    });
    const other = await nextWon();
    const second = await moves(other);
    expect(await inOrder(pool, second.reserve, second.complete)).toMatchObject({
      second: { done: { lease: { rideId: null, nextRideId: other.rideId } } },
    });
  });
});

describe('a reservation that ends', () => {
  test.each(['release', 'cancel'] as const)(
    '%s and drop-off, in both orders: the driver is free',
    async (end) => {
      for (const order of ['before', 'after'] as const) {
        const story = await reserved();
        const [first, second] = order === 'before' ? [end, 'complete' as const] : ['complete' as const, end];
        const race = await inOrder<unknown, unknown>(pool, story[first], story[second]);
        expect(race).toMatchObject({
          first: { done: { applied: true } },
          second: { done: { applied: true } },
        });
        expect(await driverLease(pool, story.driverId)).toEqual({ rideId: null, nextRideId: null });
      }
    },
  );

  test.each(['release', 'cancel'] as const)(
    '%s and the lease after the drop-off: the first decides',
    async (end) => {
      const before = await reserved();
      await before.complete(pool);
      expect(await inOrder<unknown, unknown>(pool, before[end], before.assign)).toMatchObject({
        second: { done: { applied: false } },
      });
      expect(await driverLease(pool, before.driverId)).toEqual({ rideId: null, nextRideId: null });

      const after = await reserved();
      await after.complete(pool);
      expect(await inOrder<unknown, unknown>(pool, after.assign, after[end])).toMatchObject({
        second: { done: { applied: false, state: { status: 'assigned' } } },
      });
      expect(await driverLease(pool, after.driverId)).toEqual({ rideId: after.rideId, nextRideId: null });
    },
  );

  test('a driver who gave it back is not asked for it again', async () => {
    const { release, rideId, driverId } = await reserved();
    await release(pool);
    expect(await askable(pool, rideId, [driverId])).toEqual([]);
    expect(await askable(pool, await searchingRide(pool), [driverId])).toEqual([driverId]);
  });
});

describe('a driver with a next ride', () => {
  test('gets no third, whether it is offered before or after the reservation is committed', async () => {
    const story = await nextWon();
    const { reserve } = await moves(story);
    const third = await searchingRide(pool);
    const race = await inOrder(pool, reserve, (db) => offer(db, third, [story.driverId]));
    expect(race.second).toEqual({ done: 0 });
    expect(await offer(pool, third, [story.driverId], 2)).toBe(0);
  });

  test('does not go offline, not even between the drop-off and the next ride', async () => {
    const { complete, goOffline } = await reserved();
    await complete(pool);
    await expect(goOffline(pool)).rejects.toMatchObject({ code: 'driver_busy' });
  });

  test('and the end of the shift at once: the reservation is first, so the shift goes on', async () => {
    const story = await nextWon();
    const { reserve, goOffline, complete } = await moves(story);
    await complete(pool);
    expect((await inOrder(pool, reserve, goOffline)).second).toEqual({ refused: 'driver_busy' });
  });
});
