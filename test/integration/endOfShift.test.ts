import { createPool, withTransaction, type Pool } from '../../platform/postgres';
import { getDriver, goOffline, goOnline } from '../../services/rides/drivers';
import { liveOffers } from '../../services/rides/offers';
import { inOrder } from '../support/heldTransaction';
import { lease, now, offer, offered, offersOf, onlineDrivers, searchingRide } from '../support/offerGround';
import { createDatabase } from '../support/servers';

let pool: Pool;
beforeAll(async () => {
  pool = createPool(await createDatabase('rides'), { applicationName: 'test', max: 12 });
});
afterAll(() => pool?.end());

const free = { offerId: null, rideId: null };

describe('the end of a shift', () => {
  const isOnline = async (driverId: string) => (await getDriver(pool, driverId))!.online;

  test('withdraws the open offer: nobody is left to be waited for, and a late accept is refused', async () => {
    const { accept, leave, assign, state, rideId, driverId } = await offered(pool);
    const race = await inOrder(pool, leave, accept);
    expect(race).toMatchObject({
      first: { done: { driver: { online: false }, withdrawn: { rideId, round: 1, openOffersLeft: 0 } } },
      second: { refused: 'offer_over' },
    });
    expect(await state()).toBe('withdrawn');
    expect(await lease(pool, driverId)).toEqual(free);
    await expect(assign(pool)).rejects.toMatchObject({ type: 'offer_over' });
    expect(await leave(pool)).toMatchObject({ driver: { online: false }, withdrawn: null });
  });

  test('after an accept is refused: the ride is the driver’s, to be driven or given back', async () => {
    const { accept, leave, assign, state, rideId, driverId } = await offered(pool);
    const race = await inOrder(pool, accept, leave);
    expect(race).toEqual({ first: { done: { rideId } }, second: { refused: 'driver_busy' } });
    expect(await state()).toBe('accepted');
    expect(await inOrder(pool, assign, leave)).toMatchObject({ second: { refused: 'driver_busy' } });
    expect(await lease(pool, driverId)).toEqual({ offerId: null, rideId });
    expect(await isOnline(driverId)).toBe(true);
  });

  test.each(['decline', 'expire', 'cancel'] as const)('and a %s of the same offer get along', async (end) => {
    for (const order of ['before', 'after'] as const) {
      const story = await offered(pool);
      const race =
        order === 'before'
          ? await inOrder<unknown, unknown>(pool, story[end], story.leave)
          : await inOrder<unknown, unknown>(pool, story.leave, story[end]);
      const isLate = order === 'after' && end === 'decline';
      if (isLate) expect(race.second).toEqual({ refused: 'offer_over' });
      else expect(race.second).toHaveProperty('done');
      expect(await lease(pool, story.driverId)).toEqual(free);
      expect(await isOnline(story.driverId)).toBe(false);
      expect(await liveOffers(pool, [story.driverId])).toEqual([]);
    }
  });

  test('withdraws an offer that is made meanwhile, and none is made after it', async () => {
    const [driverId] = (await onlineDrivers(pool, 1)) as [string];
    const [before, after] = [await searchingRide(pool), await searchingRide(pool)];
    const leave = (db: Pool) => goOffline(db, { driverId, at: now() });
    expect(await inOrder(pool, (db) => offer(db, before, [driverId]), leave)).toMatchObject({
      first: { done: 1 },
      second: { done: { withdrawn: { rideId: before, openOffersLeft: 0 } } },
    });
    expect((await offersOf(pool, before)).get(driverId)!.state).toBe('withdrawn');
    expect(await lease(pool, driverId)).toEqual(free);
    await goOnline(pool, { driverId, at: now() });
    expect(await inOrder(pool, leave, (db) => offer(db, after, [driverId]))).toMatchObject({
      first: { done: { withdrawn: null } },
      second: { done: 0 },
    });
  });

  test('finds the offer that was made and accepted between its two looks', async () => {
    const [driverId] = (await onlineDrivers(pool, 1)) as [string];
    const rideId = await searchingRide(pool);
    const win = (db: Pool) =>
      withTransaction(db, async (tx) => {
        await tx.query(
          `with made as (
             insert into offers (offer_id, ride_id, driver_id, round, state, expires_at)
             values (gen_random_uuid(), $1, $2, 1, 'accepted', now() + interval '1 minute') returning offer_id
           )
           update drivers set offer_id = made.offer_id from made where driver_id = $2`,
          [rideId, driverId],
        );
      });
    const race = await inOrder(pool, win, (db) => goOffline(db, { driverId, at: now() }));
    expect(race.second).toEqual({ refused: 'driver_busy' });
  });
});
