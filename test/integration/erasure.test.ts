import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { createPaymentActivities } from '../../activities/payments';
import { createRideActivities } from '../../activities/rides';
import { analytics as demand } from '../../consumers/analytics/projection';
import { audit } from '../../consumers/audit/projection';
import { createEndpoint } from '../../consumers/notifications/endpoints';
import { postOpened } from '../../consumers/notifications/opened';
import { notifications as telling } from '../../consumers/notifications/projection';
import { NOWHERE } from '../../contracts/personalMarks';
import { decideRide } from '../../domain/decideRide';
import { foldRide } from '../../domain/foldRide';
import { stepId } from '../../domain/names';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact } from '../../domain/paymentFacts';
import { standardPolicies } from '../../domain/policies';
import type { Ride, RideCommand, RideFact } from '../../domain/ride';
import { stepsOf } from '../../platform/outbox';
import { createKeyStore, createVault, masterKeys, type Vault } from '../../platform/personal';
import { createPool, type Pool } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { erasureRoutes, type ErasureOptions } from '../../services/gateway/erasureRoutes';
import { blotPayments, paymentsInTheWay } from '../../services/payments/erasure';
import { blotQuotes } from '../../services/pricing/erasure';
import { createIssueQuote } from '../../services/pricing/quotes';
import { claimRequest, keepAnswer } from '../../services/rides/claims';
import { registerDriver } from '../../services/rides/drivers';
import { blotRides, ridesInTheWay, ridesOf } from '../../services/rides/erasure';
import { giveRating } from '../../services/rides/ratings';
import { getRide } from '../../services/rides/store';
import {
  at,
  requested,
  rideFacts,
  startConsumer,
  type TestConsumer,
  type TestFact,
} from '../support/consumers';
import { tablesOf } from '../support/everywhere';
import { rideRequest } from '../support/rides';
import { createDatabase, postgresUrl } from '../support/servers';

/** What a person leaves behind in every database, and what is left of it when they are erased. */

jest.setTimeout(120_000);

const riderId = 'rider-erased';
const driverId = 'driver-erased';
const rideId = uuidv7();
/** Nobody else has these: where they are found, a person is. */
const words = {
  pickup: '40.7312345',
  stop: '40.7423456',
  dropoff: '40.7634567',
  token: 'pm_of_the_erased',
  reason: 'my mother has fallen',
  given: 'he wept all the way',
  comment: 'Ada sang',
  name: 'Ada Lovelace',
  plate: 'ADA-1815',
  driversReason: 'my brother is ill',
  bank: 'she was in the hospital',
} as const;
const place = (lat: string) => ({ lat: Number(lat), lng: -73.9876543 });
const request = rideRequest({
  ...{ rideId, riderId, quoteId: uuidv7() },
  pickup: place(words.pickup),
  stops: [place(words.stop)],
  dropoff: place(words.dropoff),
  paymentMethod: { type: 'card', token: words.token },
});

type Owner = 'rides' | 'payments' | 'pricing' | 'keys';
const pools = {} as Record<Owner, Pool>;
const urls = {} as Record<Owner, string>;
const consumers: TestConsumer[] = [];
let vault: Vault;
let sent: TestFact[];

const adminOf = (url: string): string => {
  const admin = new URL(postgresUrl());
  admin.pathname = new URL(url).pathname;
  return admin.href;
};

/** Where a text is in any of the databases. */
async function whereIs(texts: readonly string[]): Promise<string[]> {
  const databases: [string, string][] = [
    ...Object.entries(urls),
    ...consumers.map(({ group, databaseUrl }): [string, string] => [group.replace(/.*-/, ''), databaseUrl]),
  ];
  const places = (await Promise.all(databases.map(([name, url]) => tablesOf(name, adminOf(url))))).flat();
  return places.filter(({ text }) => texts.some((one) => text.includes(one))).map(({ name }) => name);
}

async function record(command: RideCommand, rideId = request.rideId): Promise<void> {
  const ride = await getRide(pools.rides, rideId);
  const { transitions } = createRideActivities({
    ...{ pool: pools.rides, vault, findNearby: () => Promise.resolve([]) },
  });
  const expectedVersion = ride?.version ?? 0;
  const step = stepId(rideId, command.type, expectedVersion);
  const fact = decideRide(command, ride, standardPolicies);
  await transitions[command.type]({ stepId: step, aggregateId: rideId, expectedVersion, fact });
}

async function pay(version: number, fact: Pick<PaymentFact, 'type'> & { data: object }): Promise<void> {
  const { transitions } = createPaymentActivities({
    ...{ pool: pools.payments, vault, provider: undefined as never },
  });
  await transitions.openPayment({
    ...{ stepId: `${rideId}/${version}`, aggregateId: rideId, expectedVersion: version - 1 },
    fact: { ...fact, at: at('12:00:00.000') } as PaymentFact,
  });
}

/** A ride of the rider that one driver gives back, and what is said and paid around it. */
async function live(): Promise<void> {
  const time = (seconds: number): string =>
    new Date(Date.parse(at('12:00:00.000')) + seconds * 1_000).toISOString();
  const issue = createIssueQuote({
    ...{
      pool: pools.pricing,
      vault,
      secret: 'the secret of the quotes',
      quoteTtlMs: 60_000,
      topicPrefix: '',
    },
    now: Date.now,
  });
  const { pickup, stops, dropoff } = request;
  await issue(riderId, {
    pickup,
    stops: [...stops],
    dropoff,
    fixedStops: 0,
    product: 'standard',
    scheduledFor: null,
  });
  const claim = { caller: riderId, key: 'key', bodyHash: 'hash', rideId, quoteId: request.quoteId };
  await claimRequest(pools.rides, { ...claim, now: time(0) });
  await keepAnswer(pools.rides, riderId, 'key', { rideId, pickup, stops, dropoff });
  const details = { name: words.name, plate: words.plate, product: 'standard' } as const;
  await registerDriver(pools.rides, { driverId, details, vault, at: time(0) });
  await record({ type: 'request', at: time(0), request });
  await record({ type: 'startMatching', at: time(1) });
  const offerId = uuidv7();
  await pools.rides.query(
    `insert into offers (offer_id, ride_id, driver_id, round, state, expires_at) values ($1, $2, $3, 1, 'accepted', now())`,
    [offerId, rideId, driverId],
  );
  await pools.rides.query('update drivers set offer_id = $2 where driver_id = $1', [driverId, offerId]);
  await record({ type: 'assignDriver', at: time(2), driverId, offerId });
  await record({ type: 'unassignDriver', at: time(3), driverId, reason: words.driversReason });
  await pay(1, {
    type: 'payment.opened',
    data: { rideId, riderId, method: request.paymentMethod, amountMinor: 1_500, currency: 'USD' },
  });
  await pay(2, {
    type: 'payment.authorized',
    data: { intentId: 'pi_1', amountMinor: 1_500, currency: 'USD' },
  });
}

/** How it ended. */
async function end(): Promise<void> {
  await record({ type: 'cancelByRider', at: at('12:01:00.000'), reason: words.reason });
  const money = { currency: 'USD', driverId: null, commissionMinor: 0 };
  await pay(3, { type: 'payment.captured', data: { intentId: 'pi_1', amountMinor: 500, ...money } });
  const refund = { refundId: 're_1', amountMinor: 100, currency: 'USD', reason: words.given };
  await pay(4, { type: 'payment.refunded', data: refund });
  const rating = { rideId, by: 'rider', raterId: riderId, ratedId: driverId, stars: 5 } as const;
  await giveRating(pools.rides, { ...rating, comment: words.comment, givenAt: at('12:02:00.000') }, '');
  await pools.payments.query(
    `insert into disputes (dispute_id, ride_id, version, state)
     values ('dp_1', $1, 1, '{"disputeId": "dp_1", "version": 1, "status": "won"}')`,
    [rideId],
  );
  await pools.payments.query(`insert into dispute_evidence values ('dp_1', 'hash', $1)`, [words.bank]);
}

/** What leaves: every fact of the owning databases as Kafka gets it. */
async function outboxes(): Promise<TestFact[]> {
  const facts: TestFact[] = [];
  for (const owner of ['pricing', 'rides', 'payments'] as const) {
    const { rows } = await pools[owner].query<{
      topic: string;
      key: string;
      headers: Record<string, string>;
      value: string;
    }>('select topic, key, headers, value from outbox order by id');
    for (const { topic, key, headers, value } of rows)
      facts.push({
        ...{ topic: topic as TestFact['topic'], key, data: JSON.parse(value) as unknown },
        ...{ sequence: Number(headers['ce_sequence']), type: headers['ce_type']!, time: headers['ce_time']! },
      });
  }
  return facts;
}

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
  const since = await vault.erase(subject);
  await blotQuotes(pools.pricing, subject);
  await blotPayments(pools.payments, subject, rides.asked);
  await blotRides(pools.rides, { subject, rides, at: since, topicPrefix: '' });
};

beforeAll(async () => {
  for (const owner of ['rides', 'payments', 'pricing', 'keys'] as const) {
    urls[owner] = await createDatabase(owner);
    pools[owner] = createPool(urls[owner], { applicationName: 'erasure', max: 3 });
  }
  vault = createVault({ keys: createKeyStore(pools.keys, masterKeys(`test:${'k'.repeat(40)}`)) });
  await live();
});
afterAll(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
});

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
  expect(await vault.open(`ride.requested/${rideId}/1`, asked?.data)).toMatchObject({
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
    vault,
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
    expect(JSON.stringify(await vault.open(`${type}/${key}/${sequence}`, data))).not.toMatch(
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
  const issue = createIssueQuote({
    ...{
      pool: pools.pricing,
      vault,
      secret: 'the secret of the quotes',
      quoteTtlMs: 60_000,
      topicPrefix: '',
    },
    now: Date.now,
  });
  const { pickup, dropoff } = request;
  const asked = issue(riderId, {
    ...{ pickup, dropoff, stops: [], fixedStops: 0, product: 'standard', scheduledFor: null },
  });
  await expect(asked).rejects.toMatchObject({ code: 'subject_erased' });
});

test('a key is wrapped, by the newest master key, and kept once for whoever asks at once', async () => {
  const older = masterKeys(`old:${'o'.repeat(40)}`);
  const both = masterKeys(`new:${'n'.repeat(40)},old:${'o'.repeat(40)}`);
  const [first, second] = await Promise.all(
    [older, older].map((masters) => createKeyStore(pools.keys, masters).findOrMake(['x', 'y'])),
  );
  expect(first).toEqual(second);
  const rotated = createKeyStore(pools.keys, both);
  expect(await rotated.findOrMake(['x', 'z'])).toMatchObject({ size: 2 });
  expect((await rotated.find(['x', 'nobody'])).get('x')).toEqual(first?.get('x'));
  await expect(createKeyStore(pools.keys, older).find(['z'])).rejects.toThrow('no key new');
  const { rows } = await pools.keys.query<{ wrapped: Buffer }>(
    `select wrapped from subject_keys where subject = 'x'`,
  );
  expect(rows[0]?.wrapped.includes(first!.get('x')!)).toBe(false);
});

/** What the gateway does when it is asked to erase somebody. */
function eraser(asked: ErasureOptions['vault']): (subjectId: string) => Promise<unknown> {
  let handler!: (request: object) => Promise<unknown>;
  const pricing = {
    call: (_: string, path: string) => blotQuotes(pools.pricing, path.split('/')[3]!),
  } as unknown as ErasureOptions['pricing'];
  erasureRoutes(((_: unknown, handle: typeof handler) => (handler = handle)) as never, {
    ...{ vault: asked, pricing },
    rides: {
      of: (subject) => ridesOf(pools.rides, subject),
      inTheWay: (subject, rides) => ridesInTheWay(pools.rides, subject, rides),
      blot: (subject, rides, since) => blotRides(pools.rides, { subject, rides, at: since, topicPrefix: '' }),
    },
    payments: {
      inTheWay: (subject, rideIds) => paymentsInTheWay(pools.payments, subject, rideIds),
      blot: (subject, rideIds) => blotPayments(pools.payments, subject, rideIds),
    },
  });
  return (subjectId) => handler({ params: { subjectId }, body: { dryRun: false } });
}

test('a request that was let in before an erasure holds it up, and its ride is blotted with the rest', async () => {
  const lateRider = 'rider-late';
  const late = { rideId: uuidv7(), quoteId: uuidv7() };
  const claim = { caller: lateRider, key: 'key', bodyHash: 'hash', ...late };
  const now = new Date();
  await claimRequest(pools.rides, { ...claim, now: now.toISOString() });
  await expect(eraser(vault)(lateRider)).rejects.toMatchObject({
    ...{ code: 'erasure_not_possible', details: { blockers: [{ kind: 'ride', id: late.rideId }] } },
  });
  // One that never became a ride is forgotten.
  await pools.rides.query(`update claims set created_at = now() - interval '2 days' where caller = $1`, [
    lateRider,
  ]);
  const pickup = place('40.7899999');
  const begin = () =>
    record(
      {
        ...{ type: 'request', at: now.toISOString() },
        request: rideRequest({ ...late, riderId: lateRider, pickup, dropoff: place(words.dropoff) }),
      },
      late.rideId,
    );
  const meanwhile = { erase: (subject: string) => begin().then(() => vault.erase(subject)) };
  await expect(eraser(meanwhile)(lateRider)).rejects.toMatchObject({
    details: { blockers: [{ kind: 'ride', id: late.rideId }] },
  });
  expect(await whereIs(['40.7899999'])).toContain('database rides: public.rides');
  await record({ type: 'cancelByRider', at: now.toISOString(), reason: 'late' }, late.rideId);
  const { length } = (await ridesOf(pools.rides, lateRider)).all;
  expect(await eraser(vault)(lateRider)).toMatchObject({
    status: 200,
    body: { rides: length, blockers: [] },
  });
  expect(await whereIs(['40.7899999'])).toEqual([]);
});
