import { v7 as uuidv7 } from 'uuid';
import type { ProcessName } from '../../platform/config';
import { createPool } from '../../platform/postgres';
import type { Pool } from '../../platform/postgres';
import { providerBooks } from '../../tools/faults/providerBooks';
import type { Stack } from '../../tools/stack/stack';
import { eventually } from '../support/rideSaga';
import { card, stackStory } from '../support/stackStory';
import type { StackStory } from '../support/stackStory';
import { startWholeStack } from '../support/wholeStack';

let stack: Stack;
let story: StackStory;
let rides: Pool;
let payments: Pool;

beforeAll(async () => {
  stack = await startWholeStack();
  story = stackStory(stack);
  rides = createPool(stack.databaseUrls.rides, { applicationName: 'test' });
  payments = createPool(stack.databaseUrls.payments, { applicationName: 'test' });
}, 180_000);
afterAll(async () => {
  await rides?.end();
  await payments?.end();
  await stack?.stop();
}, 60_000);

const paymentStatus = (rideId: string, status: string): Promise<unknown> =>
  eventually(async () => {
    const { rows } = await payments.query(
      'select 1 as found from payments where payment_id = $1 and status = $2',
      [rideId, status],
    );
    return rows[0] as unknown;
  }, 60_000);

const openOffer = (driverId: string): Promise<string> =>
  eventually(async () => {
    const { rows } = await rides.query<{ offerId: string }>(
      `select offer_id as "offerId" from offers where driver_id = $1 and state = 'offered' and expires_at > now()`,
      [driverId],
    );
    return rows[0]?.offerId;
  }, 60_000);

const factTypes = async (rideId: string): Promise<string[]> => {
  const { rows } = await rides.query<{ type: string }>(
    'select fact_type as type from steps where aggregate_id = $1 order by version',
    [rideId],
  );
  return rows.map((row) => row.type);
};

/** Without all of these together a ride can be requested all the same. */
const notNeeded: readonly ProcessName[] = [
  'audit',
  'analytics',
  'notifications',
  'location',
  'console',
  'relay',
  'tracks',
];
const others: readonly ProcessName[] = ['rides', 'payments', 'pricing', 'sandbox-psp'];

test.each([notNeeded, ...others.map((name) => [name])].map((dead) => [dead.join(', '), dead] as const))(
  'with %s dead a request is answered, and goes on when that is back',
  async (_names, dead) => {
    const riderId = `rider-without-${dead[0]}`;
    const rider = ['rider', riderId] as const;
    const request = { quoteToken: await story.quote(riderId), paymentMethod: card };
    const key = uuidv7();
    await Promise.all(dead.map((name) => stack.process(name).hold()));
    try {
      const answer = await story.call('POST', '/v1/rides', rider, request, key);
      if (dead === notNeeded) expect(answer.status).toBe(201);
      else expect([201, 503]).toContain(answer.status);
      if (answer.status === 503) expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    } finally {
      await Promise.all(dead.map((name) => stack.process(name).release()));
    }
    const { body } = await story.insist('POST', '/v1/rides', rider, request, key);
    await story.untilRide(body.rideId, riderId, ['matching']);
    await story.insist('POST', `/v1/rides/${body.rideId}/cancel`, rider, {});
    await paymentStatus(body.rideId, 'voided');
  },
  120_000,
);

test('a request that found the gateway dead is the same ride when it is back', async () => {
  const rider = ['rider', 'rider-gateway'] as const;
  const request = { quoteToken: await story.quote('rider-gateway'), paymentMethod: card };
  const key = uuidv7();
  const first = await story.insist('POST', '/v1/rides', rider, request, key);
  stack.process('gateway').kill();
  const again = await story.insist('POST', '/v1/rides', rider, request, key);
  expect(again.body).toEqual(first.body);
  await story.insist('POST', `/v1/rides/${first.body.rideId}/cancel`, rider, {});
}, 120_000);

test('workers killed in the middle of a ride: it goes on, and is paid once', async () => {
  const driver = ['driver', 'driver-mid'] as const;
  const rider = ['rider', 'rider-mid'] as const;
  await story.driver('driver-mid');
  const rideId = await story.ride('rider-mid');
  const offerId = await openOffer('driver-mid');
  await story.insist('POST', `/v1/offers/${offerId}/accept`, driver, {});
  await story.untilRide(rideId, 'rider-mid', ['assigned']);
  stack.process('rides').kill();
  await story.insist('POST', `/v1/rides/${rideId}/arrive`, driver, {});
  const { startCode } = (await story.insist('GET', `/v1/rides/${rideId}`, rider)).body;
  stack.process('rides').kill();
  stack.process('payments').kill();
  await story.insist('POST', `/v1/rides/${rideId}/start`, driver, { code: startCode });
  stack.process('payments').kill();
  await story.insist('POST', `/v1/rides/${rideId}/complete`, driver, {});
  await paymentStatus(rideId, 'captured');
  expect(await factTypes(rideId)).toEqual([
    'ride.requested',
    'ride.matching_started',
    'ride.driver_assigned',
    'ride.driver_arrived',
    'ride.started',
    'ride.completed',
  ]);
  expect((await providerBooks(stack.pspUrl, rideId)).movements).toHaveLength(1);
}, 180_000);

test('the payment provider down for a while: rides wait, then go on', async () => {
  await stack.process('sandbox-psp').hold();
  const rideId = await story.ride('rider-psp');
  await eventually(async () => {
    const { rows } = await payments.query(`select 1 as found from payments where payment_id = $1`, [rideId]);
    return rows[0] as unknown;
  }, 30_000);
  expect(await factTypes(rideId)).toEqual(['ride.requested']);
  await stack.process('sandbox-psp').release();
  await story.untilRide(rideId, 'rider-psp', ['matching']);
  await story.insist('POST', `/v1/rides/${rideId}/cancel`, ['rider', 'rider-psp'], {});
  await paymentStatus(rideId, 'voided');
}, 120_000);
