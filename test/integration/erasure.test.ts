import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { analytics as demand } from '../../consumers/analytics/projection';
import { audit } from '../../consumers/audit/projection';
import { createEndpoint } from '../../consumers/notifications/endpoints';
import { postOpened } from '../../consumers/notifications/opened';
import { notifications as telling } from '../../consumers/notifications/projection';
import { NOWHERE } from '../../contracts/personalMarks';
import { foldRide } from '../../domain/foldRide';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact } from '../../domain/paymentFacts';
import type { Ride, RideFact } from '../../domain/ride';
import { stepsOf } from '../../platform/outbox';
import type { Pool } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { blotPayments, paymentsInTheWay } from '../../services/payments/erasure';
import { blotQuotes } from '../../services/pricing/erasure';
import { blotRides, ridesInTheWay, ridesOf } from '../../services/rides/erasure';
import { getRide } from '../../services/rides/store';
import { requested, rideFacts, startConsumer, type TestConsumer, type TestFact } from '../support/consumers';
import {
  consumers,
  driverId,
  end,
  ground,
  issueQuote,
  live,
  outboxes,
  pools,
  request,
  rideId,
  riderId,
  useErasureGround,
  whereIs,
  words,
} from '../support/erasureGround';

/** What a person leaves behind in every database, and what is left of it when they are erased. */

jest.setTimeout(120_000);

useErasureGround();
beforeAll(live);

let sent: TestFact[];

/** A consumer that has read all of these. */
async function reading(projection: Projection, facts: readonly TestFact[]): Promise<TestConsumer> {
  const consumer = await startConsumer(projection);
  consumers.push(consumer);
  if (projection.name === 'notifications')
    await consumer.pool.query(
      `insert into webhook_endpoints (endpoint_id, owner_role, owner_id, url, secret)
       values ('00000000-0000-7000-8000-000000000001', 'operator', 'op-1', 'https://hooks.example', 's')`,
    );
  await consumer.deliver(facts.filter(({ topic }) => projection.topics.includes(topic)));
  expect(await consumer.deadLetters()).toBe(0);
  return consumer;
}

/** What a projection comes to, without the times at which it was written. */
async function hashOf({ pool }: TestConsumer, tables: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const table of tables) {
    const { rows } = await pool.query<{ row: string }>(
      `select (to_jsonb(t) - array['created_at', 'next_attempt_at', 'place', 'ended_at', 'state'])::text as row
       from ${table} t order by 1`,
    );
    expect([table, rows.length > 0]).toEqual([table, true]);
    hash.update(rows.map(({ row }) => row).join('\n'));
  }
  return hash.digest('hex');
}
const projections = {
  analytics: ['demand'],
  notifications: ['ride_riders', 'notifications', 'deliveries'],
} as const;

const erase = async (subject: string): Promise<void> => {
  const rides = await ridesOf(pools.rides, subject);
  const since = await ground.vault.erase(subject);
  await blotQuotes(pools.pricing, subject);
  await blotPayments(pools.payments, subject, rides.asked);
  await blotRides(pools.rides, { subject, rides, at: since, topicPrefix: '' });
};

test('who has something under way is not erased, and is told what', async () => {
  const blockers = async (subject: string) => {
    const rides = await ridesOf(pools.rides, subject);
    return [
      ...(await ridesInTheWay(pools.rides, subject, rides)),
      ...(await paymentsInTheWay(pools.payments, subject, rides.asked)),
    ];
  };
  expect(await blockers(riderId)).toEqual([
    { kind: 'ride', id: rideId },
    { kind: 'payment', id: rideId },
  ]);
  await pools.rides.query('update drivers set online = true where driver_id = $1', [driverId]);
  expect(await blockers(driverId)).toEqual([{ kind: 'shift', id: driverId }]);
  await pools.rides.query('update drivers set online = false where driver_id = $1', [driverId]);
  const state = (status: string) => JSON.stringify({ payoutId, version: 1, status });
  const payoutId = uuidv7();
  await pools.payments.query(`insert into payouts values ($1, $2, 'USD', '2026-W09', 1, $3)`, [
    ...[payoutId, driverId, state('started')],
  ]);
  expect(await blockers(driverId)).toEqual([{ kind: 'payout', id: payoutId }]);
  await pools.payments.query('update payouts set state = $2 where payout_id = $1', [payoutId, state('paid')]);
  await end();
  expect([...(await blockers(riderId)), ...(await blockers(driverId))]).toEqual([]);
  await pools.payments.query(`update disputes set state = state || '{"status": "under_review"}'`);
  expect(await blockers(riderId)).toEqual([{ kind: 'dispute', id: 'dp_1' }]);
  await pools.payments.query(`update disputes set state = state || '{"status": "won"}'`);
  await pools.payments.query(`update payments set state = state || '{"owedMinor": 7}'`);
  expect(await blockers(riderId)).toEqual([{ kind: 'debt', id: rideId }]);
  await pools.payments.query(`update payments set state = state || '{"owedMinor": 0}'`);
});

test('facts leave sealed, and are opened by who has the key', async () => {
  sent = await outboxes();
  const text = JSON.stringify(sent);
  for (const word of Object.values(words)) expect([word, text.includes(word)]).toEqual([word, false]);
  const [asked] = sent.filter(({ type }) => type === 'ride.requested');
  expect(asked?.data).toMatchObject({ riderId, pickup: NOWHERE, pickupCell: expect.stringMatching(/^88/) });
  expect(await ground.vault.open(`ride.requested/${rideId}/1`, asked?.data)).toMatchObject({
    ...{ pickup: request.pickup, stops: request.stops, paymentMethod: request.paymentMethod },
  });
  // Where they work, people are not yet erased.
  const places = await whereIs(Object.values(words));
  expect(places).toEqual(
    expect.arrayContaining(['database rides: public.steps', 'database rides: public.drivers']),
  );
});

test('after an erasure nobody has the person in plain, nor can read them; replays give what is there', async () => {
  const before = uuidv7();
  const earlier = rideFacts(before, [
    ['ride.requested', '11:00:00.000', requested(before, 'rider-before')],
    ['ride.no_driver_found', '11:05:00.000'],
  ]);
  const facts = [...earlier, ...sent];
  const analytics = await reading(demand, facts);
  const notifications = await reading(telling, facts);
  await reading(audit, facts);
  await createEndpoint(
    notifications.pool,
    { role: 'rider', id: riderId },
    {
      ...{ url: 'https://ada.example', description: 'of Ada' },
    },
  );
  const posted: string[] = [];
  const post = postOpened(
    ground.vault,
    ({ body }) => (posted.push(body), Promise.resolve({ status: 200, error: null })),
  );
  const letters = await notifications.pool.query<{ body: string }>(
    `select body from deliveries where fact_id = $1`,
    [`ride.requested/${rideId}/1`],
  );
  const { body } = letters.rows[0]!;
  expect(body).not.toContain(words.pickup);
  const letter = { deliveryId: uuidv7(), url: '', secrets: [], trusted: false, body };
  await post(letter);
  expect(JSON.parse(posted[0]!)).toMatchObject({ data: { pickup: request.pickup, paymentMethod: 'card' } });
  expect(posted[0]).not.toContain(words.token);

  await erase(riderId);
  await erase(driverId);
  await erase(riderId);
  const erased = (await outboxes()).filter(({ type }) => type === 'subject.erased');
  expect(erased.map(({ data }) => data)).toEqual([{ subjectId: riderId }, { subjectId: driverId }]);
  await notifications.deliver(erased);
  expect(await whereIs([...Object.values(words), 'ada.example', 'of Ada'])).toEqual([]);

  await post(letter);
  expect(JSON.parse(posted[1]!)).toMatchObject({ data: { pickup: NOWHERE, paymentMethod: 'card' } });
  for (const { key, type, sequence, data } of sent)
    expect(JSON.stringify(await ground.vault.open(`${type}/${key}/${sequence}`, data))).not.toMatch(
      new RegExp(Object.values(words).join('|')),
    );

  const again = await reading(demand, facts);
  expect(await hashOf(again, projections.analytics)).toBe(await hashOf(analytics, projections.analytics));
  const told = await reading(telling, [...facts, ...erased]);
  expect(await hashOf(told, projections.notifications)).toBe(
    await hashOf(notifications, projections.notifications),
  );
  const cells = await analytics.pool.query<{ cell: string }>('select cell from demand');
  expect(new Set(cells.rows.map(({ cell }) => cell)).size).toBe(2);
});

test('what is left of the rows is still what their facts say, and the money stays', async () => {
  const fold = async <S, F>(pool: Pool, by: (state: S | null, fact: F) => S) =>
    (await stepsOf<F>(pool, rideId)).map(({ fact }) => fact).reduce<S | null>(by, null);
  const ride = await fold<Ride, RideFact>(pools.rides, foldRide);
  expect(ride).toMatchObject({ pickup: NOWHERE, stops: [], endReason: 'erased', riderId });
  expect(await getRide(pools.rides, rideId)).toEqual(ride);
  const payment = await fold<Payment, PaymentFact>(pools.payments, foldPayment);
  const row = await pools.payments.query<{ state: Payment }>('select state from payments');
  expect(row.rows[0]?.state).toEqual(payment);
  expect(payment).toMatchObject({ capturedMinor: 500, refundedMinor: 100, method: { token: 'erased' } });
});

test('who is erased gets no quote any more', async () => {
  await expect(issueQuote(riderId)).rejects.toMatchObject({ code: 'subject_erased' });
});
