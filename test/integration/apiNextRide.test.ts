import { startApi, type Answer, type Api, type Call } from '../support/api';
import { eventually } from '../support/rideSaga';
import { openEvents } from '../support/events';

jest.setTimeout(60_000);

let api: Api;
beforeAll(async () => {
  // However far the present ride has to go, a next one is offered.
  api = await startApi({ workers: true, policies: { searchPauseMs: 100, nextRideWithinSeconds: 7_200 } });
}, 120_000);
afterAll(() => api?.stop(), 60_000);

const driver = ['driver', 'driver-1'] as const;
const as = { as: driver };
const rider = { as: ['rider', 'rider-1'] } as const;
const post = (path: string, call: Call): Promise<Answer> => api.call('POST', path, call);

async function requested(): Promise<string> {
  const body = { quoteToken: (await api.quote('rider-1')).token, paymentMethod: { type: 'cash' } };
  const headers = { 'idempotency-key': crypto.randomUUID() };
  return (await post('/v1/rides', { ...rider, body, headers })).body.rideId;
}

/** The driver takes the ride that the stream offers next. */
async function accepted(offers: Awaited<ReturnType<typeof openEvents>>, rideId: string): Promise<void> {
  const { data } = await offers.next('offer');
  expect(data.rideId).toBe(rideId);
  expect((await post(`/v1/offers/${data.offerId}/accept`, as)).status).toBe(200);
}
const me = async (): Promise<unknown> => {
  const { rideId, nextRideId } = (await api.call('GET', '/v1/drivers/me', as)).body;
  return { rideId, nextRideId };
};
const seenBy = async (viewer: Call, rideId: string) =>
  (await api.call('GET', `/v1/rides/${rideId}`, viewer)).body;

test('a driver under way is offered a next ride, gives it back, takes another, and drives it after the drop-off', async () => {
  await api.call('PUT', '/v1/drivers/me', { ...as, body: { name: 'D', plate: 'T-1' } });
  await post('/v1/drivers/me/online', as);
  api.nearby.push(driver[1]);
  const offers = await openEvents(api, '/v1/drivers/me/offers', driver);

  const present = await requested();
  await accepted(offers, present);
  await eventually(async () => (await seenBy(rider, present))['status'] === 'assigned' || undefined);
  await post(`/v1/rides/${present}/arrive`, as);
  const { startCode } = await seenBy(rider, present);
  expect((await post(`/v1/rides/${present}/start`, { ...as, body: { code: startCode } })).status).toBe(200);

  const given = await requested();
  await accepted(offers, given);
  await eventually(async () => (await seenBy(rider, given))['reservedDriverId'] === driver[1] || undefined);
  expect(await seenBy(as, given)).toMatchObject({
    status: 'matching',
    driverId: null,
    reservedDriverId: driver[1],
  });
  expect(await me()).toEqual({ rideId: present, nextRideId: given });
  // Once and again: the same answer.
  for (const answer of [
    await post(`/v1/rides/${given}/cancel`, { ...as, body: {} }),
    await post(`/v1/rides/${given}/cancel`, { ...as, body: {} }),
  ]) {
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: 'matching', reservedDriverId: null });
  }
  expect(await me()).toEqual({ rideId: present, nextRideId: null });
  expect((await api.call('GET', `/v1/rides/${given}`, as)).status).toBe(404);

  const next = await requested();
  await accepted(offers, next);
  await eventually(async () => (await seenBy(rider, next))['reservedDriverId'] === driver[1] || undefined);
  expect((await post('/v1/drivers/me/offline', as)).body.type).toBe('/problems/driver_busy');
  expect((await post(`/v1/rides/${present}/complete`, as)).body).toMatchObject({ status: 'completed' });
  await eventually(async () => (await seenBy(rider, next)).driverId === driver[1] || undefined);
  expect(await me()).toEqual({ rideId: next, nextRideId: null });
  offers.close();
  for (const rideId of [given, next]) await post(`/v1/rides/${rideId}/cancel`, { ...rider, body: {} });
  expect((await post('/v1/drivers/me/offline', as)).status).toBe(200);
});
