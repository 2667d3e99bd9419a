import { DomainError } from '../../domain/errors';
import { createPaymentRoutes } from '../../services/payments/routes/tipAndRefundRoutes';
import { startRealPayments, type RealPayments } from '../support/realPayments';
import { play, standardRide } from '../support/rides';
import { serveRoutes, type ServedRoutes } from '../support/routes';

jest.setTimeout(60_000);

const rider = 'rider-1';
const driving = standardRide.slice(0, 4);
let real: RealPayments;
let routes: ServedRoutes;
/** What the rides database would say. */
let ridesStory = standardRide;

beforeAll(async () => {
  real = await startRealPayments();
  routes = await serveRoutes(rider, (mount) =>
    createPaymentRoutes(mount, {
      payments: real.pool,
      temporal: real.saga.client,
      deadlineMs: 5_000,
      rideOf: (caller, rideId) =>
        caller.role === 'rider' && caller.sub !== rider
          ? Promise.reject(new DomainError('ride_not_found', 'There is no such ride.'))
          : Promise.resolve({ ...play(ridesStory).ride, rideId }),
    }),
  );
});
beforeEach(() => void (ridesStory = standardRide));
afterAll(async () => {
  await routes?.close();
  await real?.stop();
});

const tip = (rideId: string, amountMinor: number, as = rider) =>
  routes.call('POST', `/v1/rides/${rideId}/tip`, { body: { amountMinor }, as });

const refund = (rideId: string, key: string, body: object, as = 'ops-1') =>
  routes.call('POST', `/v1/ops/rides/${rideId}/refunds`, { body, key, as });

async function capturedRide(windowMs = 60_000): Promise<string> {
  const { saga, untilTold, untilStatus } = real;
  const rideId = await saga.open({}, { tipWindowMs: windowMs, refundWindowMs: windowMs });
  await untilTold(rideId);
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await untilStatus(rideId, 'captured');
  return rideId;
}

test('a tip is charged, and a repeat answers the same', async () => {
  const rideId = await capturedRide();
  const given = { status: 200, body: { rideId, tipMinor: 300, currency: 'USD' } };
  expect(await tip(rideId, 300)).toEqual(given);
  expect(await tip(rideId, 300)).toEqual(given);
  expect(await tip(rideId, 301)).toMatchObject({ status: 409, body: { code: 'tip_already_given' } });
});

test('somebody else’s ride is not there', async () => {
  const rideId = await capturedRide();
  expect(await tip(rideId, 300, 'rider-2')).toMatchObject({ status: 404, body: { code: 'ride_not_found' } });
});

test('a ride that is not completed takes no tip', async () => {
  const rideId = await real.saga.open();
  ridesStory = driving;
  expect(await tip(rideId, 300)).toMatchObject({
    status: 409,
    body: { code: 'tip_not_possible', status: 409, rideStatus: play(driving).ride.status },
  });
});

test('a payment that is unknown or over takes no tip', async () => {
  expect(await tip('01890a5d-ac96-774b-bcce-b302099a8057', 300)).toMatchObject({
    status: 409,
    body: { code: 'tip_not_possible' },
  });
  const rideId = await capturedRide(500);
  await real.saga.result(rideId);
  expect(await tip(rideId, 300)).toMatchObject({ status: 409, body: { code: 'tip_not_possible' } });
});

test.each([{ amountMinor: 0 }, { amountMinor: 1.5 }, { amountMinor: -1 }, { amountMinor: 5, more: 1 }, {}])(
  'a tip of %j is not valid',
  async (body) => {
    const rideId = '01890a5d-ac96-774b-bcce-b302099a8057';
    expect(await routes.call('POST', `/v1/rides/${rideId}/tip`, { body })).toMatchObject({
      status: 400,
      body: { code: 'validation_failed' },
    });
  },
);

test('a refund is given once for each key, also after the payment is over', async () => {
  const rideId = await capturedRide(3_000);
  const order = { amountMinor: 400, reason: 'detour' };
  const first = await refund(rideId, 'key-1', order);
  expect(first).toMatchObject({ status: 201, body: { rideId, amountMinor: 400, refundedMinor: 400 } });
  expect(await refund(rideId, 'key-1', order)).toEqual(first);
  expect(await refund(rideId, 'key-1', { ...order, amountMinor: 1 })).toMatchObject({
    status: 422,
    body: { code: 'idempotency_key_reused' },
  });
  const another = await refund(rideId, 'key-1', { ...order, amountMinor: 100 }, 'ops-2');
  expect(another).toMatchObject({ status: 201, body: { refundedMinor: 500 } });
  expect(await refund(rideId, 'key-2', { amountMinor: 1_001, reason: 'too much' })).toMatchObject({
    status: 409,
    body: { code: 'refund_not_possible', leftMinor: 1_000 },
  });
  expect(await real.saga.result(rideId)).toBe('partially_refunded');
  expect(await refund(rideId, 'key-1', order)).toEqual(first);
  expect(await refund(rideId, 'key-3', order)).toMatchObject({
    status: 409,
    body: { code: 'refund_not_possible' },
  });
});

test('a refund without a key is not valid', async () => {
  const rideId = '01890a5d-ac96-774b-bcce-b302099a8057';
  const path = `/v1/ops/rides/${rideId}/refunds`;
  const body = { amountMinor: 1, reason: 'x' };
  expect(await routes.call('POST', path, { body })).toMatchObject({ status: 400 });
});
