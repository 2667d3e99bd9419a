import { closeOffers } from '../../services/rides/offerRounds';
import { startApi, type Api } from '../support/api';
import { lease, offersOf, onlineDrivers } from '../support/offerGround';
import { eventually } from '../support/rideSaga';

const DRIVERS = 200;

let api: Api;
beforeAll(async () => {
  api = await startApi({
    workers: true,
    policies: { offerBatchSize: DRIVERS, offerTtlMs: 60_000, searchPauseMs: 100 },
  });
}, 120_000);
afterAll(() => api?.stop(), 60_000);

test('200 drivers accept one offer’s batch at once: one ride, one driver, 199 who are free again', async () => {
  const drivers = await onlineDrivers(api.rides, DRIVERS);
  api.nearby.push(...drivers);
  const requested = await api.call('POST', '/v1/rides', {
    as: ['rider', 'rider-1'],
    body: { quoteToken: (await api.quote('rider-1')).token, paymentMethod: { type: 'cash' } },
    headers: { 'idempotency-key': 'one-ride' },
  });
  const { rideId } = requested.body;
  const offers = await eventually(async () => {
    const made = await offersOf(api.rides, rideId);
    return made.size === DRIVERS ? made : undefined;
  });

  const answers = await Promise.all(
    drivers.map((driverId) =>
      api.call('POST', `/v1/offers/${offers.get(driverId)!.offerId}/accept`, { as: ['driver', driverId] }),
    ),
  );

  const won = answers.flatMap(({ status }, i) => (status === 200 ? [drivers[i]!] : []));
  expect(won).toHaveLength(1);
  const lost = answers.filter(({ status, body }) => status === 409 && body.type === '/problems/offer_over');
  expect(lost).toHaveLength(DRIVERS - 1);
  await eventually(async () => {
    const ride = await api.call('GET', `/v1/rides/${rideId}`, { as: ['rider', 'rider-1'] });
    return ride.body.driverId === won[0] || undefined;
  });
  for (const driverId of drivers) {
    expect(await lease(api.rides, driverId)).toEqual({
      offerId: null,
      rideId: driverId === won[0] ? rideId : null,
    });
  }
  const states = [...(await offersOf(api.rides, rideId)).values()].map(({ state }) => state);
  expect(states.sort()).toEqual(['accepted', ...new Array<string>(DRIVERS - 1).fill('withdrawn')]);
  // The round that ends later finds the same winner.
  const { rows } = await api.rides.query<{ round: number }>('select max(round) as round from offers');
  expect(await closeOffers(api.rides, rideId, rows[0]!.round)).toMatchObject({ driverId: won[0] });
}, 60_000);
