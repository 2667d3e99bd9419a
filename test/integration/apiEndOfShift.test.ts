import { startApi, type Api } from '../support/api';
import { lease, offersOf, onlineDrivers } from '../support/offerGround';
import { eventually } from '../support/rideSaga';

let api: Api;
beforeAll(async () => {
  // A round outlives the test: whoever is asked next is asked because the one before has left.
  api = await startApi({
    workers: true,
    policies: { offerBatchSize: 1, offerTtlMs: 600_000, matchingDeadlineMs: 1_200_000, searchPauseMs: 100 },
  });
}, 120_000);
afterAll(() => api?.stop(), 60_000);

test('a driver who goes offline leaves the offer to the next, at once, and cannot take it any more', async () => {
  const drivers = await onlineDrivers(api.rides, 2);
  api.nearby.push(...drivers);
  const { body } = await api.call('POST', '/v1/rides', {
    as: ['rider', 'rider-1'],
    body: { quoteToken: (await api.quote('rider-1')).token, paymentMethod: { type: 'cash' } },
    headers: { 'idempotency-key': 'end-of-shift' },
  });
  const offeredTo = (before: number) =>
    eventually(async () => {
      const offers = await offersOf(api.rides, body.rideId);
      return offers.size > before ? offers : undefined;
    });
  const [[leaving, { offerId }]] = (await offeredTo(0)) as unknown as [[string, { offerId: string }]];
  const as = { as: ['driver', leaving] } as const;

  const left = await api.call('POST', '/v1/drivers/me/offline', as);
  expect(left).toMatchObject({ status: 200, body: { online: false } });

  const [staying] = drivers.filter((driverId) => driverId !== leaving) as [string];
  const next = (await offeredTo(1)).get(staying)!;
  const late = await api.call('POST', `/v1/offers/${offerId}/accept`, as);
  expect(late).toMatchObject({ status: 409, body: { type: '/problems/offer_over', state: 'withdrawn' } });

  const stays = { as: ['driver', staying] } as const;
  expect((await api.call('POST', `/v1/offers/${next.offerId}/accept`, stays)).status).toBe(200);
  const busy = await api.call('POST', '/v1/drivers/me/offline', stays);
  expect(busy).toMatchObject({ status: 409, body: { type: '/problems/driver_busy', rideId: body.rideId } });
  await eventually(async () => (await lease(api.rides, staying)).rideId === body.rideId || undefined);
}, 60_000);
