import { v7 as uuidv7 } from 'uuid';
import { notifications as projection } from '../../consumers/notifications/projection';
import {
  at,
  captured,
  opened,
  requested,
  rideFacts,
  rideIn,
  startConsumer,
  type TestConsumer,
  type TestFact,
} from '../support/consumers';

let notifications: TestConsumer;
beforeEach(async () => {
  notifications = await startConsumer(projection);
});
afterEach(() => notifications.stop());

async function written(): Promise<string[]> {
  const { rows } = await notifications.pool.query<{ line: string }>(
    `select role || ' ' || recipient_id || ': ' || template as line from notifications order by occurred_at, role desc`,
  );
  return rows.map(({ line }) => line);
}

const driver = { driverId: 'driver-1' };

function aRide(rideId = uuidv7()) {
  const ride = rideFacts(rideId, [
    ['ride.requested', '12:00:00.000', requested(rideId, 'rider-1')],
    ['ride.matching_started', '12:00:01.000'],
    ['ride.driver_assigned', '12:00:10.000', { ...driver, offerId: uuidv7() }],
    ['ride.driver_arrived', '12:05:00.000', driver],
    ['ride.started', '12:06:00.000', driver],
    ['ride.completed', '12:20:00.000', { ...driver, chargeMinor: 1_250, currency: 'USD' }],
  ]);
  const payment = rideFacts(rideId, [
    ['payment.opened', '12:00:00.500', opened(rideId, 'rider-1')],
    ['payment.authorized', '12:00:01.000', { intentId: 'pi_1', amountMinor: 1_250, currency: 'USD' }],
    ['payment.captured', '12:20:02.000', captured],
  ]);
  const expected = [
    'rider rider-1: ride_requested',
    'rider rider-1: driver_assigned',
    'rider rider-1: driver_arrived',
    'rider rider-1: ride_completed',
    'driver driver-1: ride_done',
    'rider rider-1: receipt',
    'driver driver-1: earned',
  ];
  return { ride, payment, expected };
}

test('rider and driver are told what concerns them, the rider also where a fact does not name them', async () => {
  const { ride, payment, expected } = aRide();
  for (const fact of [...ride, ...payment]) await notifications.deliver([fact]);
  expect(await written()).toEqual(expected);
  // Nobody has registered to be told.
  expect((await notifications.pool.query('select 1 from deliveries')).rows).toEqual([]);
});

test("a payment's facts need none of the ride's: topics come in no order", async () => {
  const { ride, payment, expected } = aRide();
  await notifications.deliver(payment);
  expect(await written()).toEqual(expected.slice(-2));
  await notifications.deliver(ride);
  expect(await written()).toEqual(expected);
});

test('what is delivered again is written once', async () => {
  const { ride, payment, expected } = aRide();
  const facts = [...ride, ...payment];
  await notifications.deliver([...facts, ...facts]);
  await notifications.deliver([...facts].reverse());
  expect(await written()).toEqual(expected);
});

test('a consumer that has lost its place writes nothing twice: ids come from facts and recipients', async () => {
  const { ride, expected } = aRide();
  await notifications.deliver(ride);
  await notifications.pool.query('truncate inbox_sequences');
  await notifications.deliver(ride);
  expect(await written()).toEqual(expected.slice(0, -2));
  expect(await notifications.deadLetters()).toBe(0);
});

test('a fact that breaks its schema is put aside; other rides and unknown facts go on', async () => {
  const bad = uuidv7();
  const { ride, expected } = aRide();
  await notifications.deliver([
    ...rideFacts(bad, [
      ['ride.requested', '11:00:00.000', requested(bad, 'rider-2')],
      ['ride.completed', '11:01:00.000', { ...driver, chargeMinor: -1, currency: 'USD' }],
    ]),
    ...rideFacts(uuidv7(), [['ride.flew_away', '11:02:00.000', { any: 'thing' }]]),
    ...ride,
  ]);
  expect(await written()).toEqual(['rider rider-2: ride_requested', ...expected.slice(0, -2)]);
  expect(await notifications.deadLetters()).toBe(1);
});

test('a fact that happened at no time is put aside, whatever Postgres would take it for; those behind it go on', async () => {
  const partitions = [0, 1, 2];
  const odd = ['infinity', 'tomorrow', '2026-13-01T12:00:00Z'].map((time, i) => {
    const rideId = rideIn(partitions[i]!);
    const [fact] = rideFacts(rideId, [['ride.requested', '12:00:00.000', requested(rideId, 'rider-2')]]);
    return { ...fact!, time };
  });
  const behind = partitions.map((partition) => aRide(rideIn(partition)));
  await notifications.deliver([...odd, ...behind.flatMap(({ ride }) => ride)]);
  expect((await written()).sort()).toEqual(behind.flatMap(({ expected }) => expected.slice(0, -2)).sort());
  const { rows } = await notifications.pool.query<{ key: string; reason: string }>(
    'select key, reason from inbox_parked where head order by key',
  );
  expect(new Set(rows.map(({ key }) => key))).toEqual(new Set(odd.map(({ key }) => key)));
  for (const { reason } of rows) expect(reason).toMatch(/^fact_invalid: .* is no time$/);
});

test('what people are told has its fact’s time in UTC, however the fact says it', async () => {
  const { ride } = aRide();
  await notifications.pool.query(
    `insert into webhook_endpoints (endpoint_id, owner_role, owner_id, url, secret)
     values ($1, 'operator', 'operator-1', 'http://127.0.0.1:9/', 'secret')`,
    [uuidv7()],
  );
  await notifications.pool.query(`update webhook_endpoints set deleted_at = null where owner_role = 'house'`);
  await notifications.deliver([{ ...ride[0]!, time: '2026-03-01T13:00:00+01:00' }]);
  const { rows } = await notifications.pool.query<{ at: string }>(
    `select coalesce(body::jsonb ->> 'occurredAt', body::jsonb ->> 'at') as at from deliveries
     union all select to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') from notifications`,
  );
  expect(rows).toEqual(Array(3).fill({ at: at('12:00:00.000') }));
  expect(await notifications.deadLetters()).toBe(0);
});

test('drivers are told of payouts, which are about no ride; a dispute tells nobody and does no harm', async () => {
  const [payoutId, rideId] = [uuidv7(), uuidv7()];
  const amount = { ...driver, amountMinor: 5_000, currency: 'USD' };
  const dispute = {
    disputeId: 'du_1',
    rideId,
    intentId: 'pi_1',
    amountMinor: 1,
    feeMinor: 1,
    currency: 'USD',
  };
  const start = { payoutId, ...amount, period: '2026-W09', destination: 'acct_1TestAccount' };
  const news: [string, string, object][] = [
    [payoutId, 'payout.started', start],
    [payoutId, 'payout.paid', { ...amount, transferId: 'tr_1' }],
    [payoutId, 'payout.returned', { ...amount, reason: 'transfer_reversed' }],
    ['du_1', 'dispute.opened', { ...dispute, reason: 'fraudulent', evidenceDueAt: at('12:00:00.000') }],
  ];
  const facts = news.map(([key, type, data], i): TestFact => {
    const sequence = key === payoutId ? i + 1 : 1;
    return { topic: 'payments', key, sequence, type, time: at(`12:00:0${i}.000`), data };
  });
  await notifications.deliver(facts);
  expect(await written()).toEqual(['driver driver-1: paid_out', 'driver driver-1: payout_returned']);
  const { rows } = await notifications.pool.query('select distinct ride_id from notifications');
  expect(rows).toEqual([{ ride_id: null }]);
});
