import { v7 as uuidv7 } from 'uuid';
import { createPool, type Pool } from '../../platform/postgres';
import { goOffline } from '../../services/rides/drivers';
import { acceptOffer, declineOffer, liveOffers } from '../../services/rides/offers';
import { getRide } from '../../services/rides/store';
import { inOrder } from '../support/heldTransaction';
import {
  askable,
  lease,
  now,
  offer,
  offered,
  offersOf,
  onlineDrivers,
  record,
  searchingRide,
} from '../support/offerGround';
import { createDatabase } from '../support/servers';

let pool: Pool;
beforeAll(async () => {
  pool = createPool(await createDatabase('rides'), { applicationName: 'test', max: 12 });
});
afterAll(() => pool?.end());

const free = { offerId: null, rideId: null };

describe('an accept', () => {
  test('before the expiry wins: the round that ends finds its winner', async () => {
    const { accept, expire, assign, state, driverId, offerId, rideId } = await offered(pool);
    const race = await inOrder(pool, accept, expire);
    expect(race).toEqual({ first: { done: { rideId } }, second: { done: { offerId, driverId } } });
    expect(await state()).toBe('accepted');
    await assign(pool);
    expect(await lease(pool, driverId)).toEqual({ offerId: null, rideId });
  });

  test('after the expiry is refused, and the driver is free', async () => {
    const { accept, expire, state, driverId } = await offered(pool);
    const race = await inOrder(pool, expire, accept);
    expect(race).toEqual({ first: { done: null }, second: { refused: 'offer_over' } });
    expect(await state()).toBe('expired');
    expect(await lease(pool, driverId)).toEqual(free);
  });

  test('is in time until the millisecond before the offer expires', async () => {
    const { accept, expiresAtMs, rideId } = await offered(pool);
    await expect(accept(pool, new Date(expiresAtMs).toISOString())).rejects.toMatchObject({
      code: 'offer_over',
      details: { state: 'expired' },
    });
    expect(await accept(pool, new Date(expiresAtMs - 1).toISOString())).toEqual({ rideId });
  });

  test('before the rider’s cancel is withdrawn with the ride: a cancel is never blocked', async () => {
    const { accept, cancel, assign, state, rideId, driverId } = await offered(pool);
    const race = await inOrder(pool, accept, cancel);
    expect(race).toMatchObject({ first: { done: { rideId } }, second: { done: { applied: true } } });
    expect(await state()).toBe('withdrawn');
    expect(await lease(pool, driverId)).toEqual(free);
    expect(await assign(pool)).toMatchObject({ applied: false, state: { status: 'cancelled' } });
  });

  test('after the rider’s cancel is refused', async () => {
    const { accept, cancel, state, driverId } = await offered(pool);
    const race = await inOrder(pool, cancel, accept);
    expect(race).toMatchObject({ first: { done: { applied: true } }, second: { refused: 'offer_over' } });
    expect(await state()).toBe('withdrawn');
    expect(await lease(pool, driverId)).toEqual(free);
  });

  test('and a decline of the same offer: the first answer stands', async () => {
    const yes = await offered(pool);
    expect(await inOrder(pool, yes.accept, yes.decline)).toMatchObject({ second: { refused: 'offer_over' } });
    expect(await lease(pool, yes.driverId)).toEqual({ offerId: yes.offerId, rideId: null });
    const no = await offered(pool);
    expect(await inOrder(pool, no.decline, no.accept)).toMatchObject({ second: { refused: 'offer_over' } });
    expect(await lease(pool, no.driverId)).toEqual(free);
  });
});

describe('two drivers and one ride', () => {
  async function offeredToTwo() {
    const [first, second] = (await onlineDrivers(pool, 2)) as [string, string];
    const rideId = await searchingRide(pool);
    await offer(pool, rideId, [first, second]);
    const offers = await offersOf(pool, rideId);
    const ride = (await getRide(pool, rideId))!;
    const of = (driverId: string) => ({
      driverId,
      accept: (db: Pool) => acceptOffer(db, { offerId: offers.get(driverId)!.offerId, driverId, now: now() }),
      assign: (db: Pool) =>
        record(
          db,
          rideId,
          { type: 'assignDriver', at: now(), driverId, offerId: offers.get(driverId)!.offerId },
          ride,
        ),
    });
    return { rideId, first: of(first), second: of(second) };
  }

  test('who accepts second is refused while the first is not even committed', async () => {
    const { rideId, first, second } = await offeredToTwo();
    const race = await inOrder(pool, first.accept, second.accept);
    expect(race).toEqual({ first: { done: { rideId } }, second: { refused: 'offer_over' } });
  });

  test('the winner’s assignment withdraws the other offer, whether its accept comes before or after', async () => {
    const before = await offeredToTwo();
    await before.first.accept(pool);
    expect(await inOrder(pool, before.second.accept, before.first.assign)).toMatchObject({
      first: { refused: 'offer_over' },
      second: { done: { applied: true } },
    });
    const after = await offeredToTwo();
    await after.first.accept(pool);
    expect(await inOrder(pool, after.first.assign, after.second.accept)).toMatchObject({
      second: { refused: 'offer_over' },
    });
    for (const { rideId, first, second } of [before, after]) {
      expect(await lease(pool, first.driverId)).toEqual({ offerId: null, rideId });
      expect(await lease(pool, second.driverId)).toEqual(free);
    }
  });
});

describe('two rides and one driver', () => {
  test('of two offers at once the driver gets one', async () => {
    const [driverId] = (await onlineDrivers(pool, 1)) as [string];
    const [one, other] = [await searchingRide(pool), await searchingRide(pool)];
    const race = await inOrder(
      pool,
      (db) => offer(db, one, [driverId]),
      (db) => offer(db, other, [driverId]),
    );
    expect(race).toEqual({ first: { done: 1 }, second: { done: 0 } });
    expect((await lease(pool, driverId)).offerId).toBe((await offersOf(pool, one)).get(driverId)!.offerId);
    expect(await offersOf(pool, other)).toEqual(new Map());
  });

  test('who has accepted, or is just accepting, is not asked by another ride', async () => {
    const { accept, assign, driverId } = await offered(pool);
    const other = await searchingRide(pool);
    const race = await inOrder(pool, accept, (db) => offer(db, other, [driverId]));
    expect(race.second).toEqual({ done: 0 });
    expect((await inOrder(pool, assign, (db) => offer(db, other, [driverId], 2))).second).toEqual({
      done: 0,
    });
    expect(await askable(pool, other, [driverId])).toEqual([]);
  });

  test('a driver freed by an expiry is asked by another ride, and the late accept of the first changes nothing', async () => {
    const { accept, expire, driverId } = await offered(pool);
    const other = await searchingRide(pool);
    await expire(pool);
    const race = await inOrder(pool, (db) => offer(db, other, [driverId]), accept);
    expect(race).toEqual({ first: { done: 1 }, second: { refused: 'offer_over' } });
    expect((await lease(pool, driverId)).offerId).toBe((await offersOf(pool, other)).get(driverId)!.offerId);
  });
});

describe('who may be asked', () => {
  test('whoever is online, free, in a car that serves it, and has not declined this ride', async () => {
    const [standard, offline, declined] = (await onlineDrivers(pool, 3)) as [string, string, string];
    const [large] = (await onlineDrivers(pool, 1, 'xl')) as [string];
    await goOffline(pool, { driverId: offline, at: now() });
    const all = [standard, offline, declined, large];
    const rideId = await searchingRide(pool);
    await offer(pool, rideId, [declined]);
    const { offerId } = (await offersOf(pool, rideId)).get(declined)!;
    await declineOffer(pool, { offerId, driverId: declined });
    expect(await askable(pool, rideId, all)).toEqual(expect.arrayContaining([standard, large]));
    expect(await askable(pool, rideId, all)).toHaveLength(2);
    expect(await askable(pool, await searchingRide(pool, { product: 'xl' }), all)).toEqual([large]);
    await record(pool, rideId, { type: 'cancelByRider', at: now(), reason: 'changed_mind' });
    expect(await offer(pool, rideId, all, 2)).toBe(0);
  });

  test('an offer is open until it is over, and says how far the pickup is', async () => {
    const { driverId, offerId, decline } = await offered(pool);
    expect(await liveOffers(pool, [driverId])).toMatchObject([
      { offerId, driverId, pickupDistanceMeters: 500, etaSeconds: 120 },
    ]);
    await decline(pool);
    expect(await liveOffers(pool, [driverId])).toEqual([]);
  });

  test('an offer of nobody’s is not found', async () => {
    const { driverId, offerId } = await offered(pool);
    for (const wrong of [
      { offerId: uuidv7(), driverId },
      { offerId, driverId: 'driver-other' },
    ]) {
      await expect(acceptOffer(pool, { ...wrong, now: now() })).rejects.toMatchObject({
        code: 'offer_not_found',
      });
    }
  });
});
