import { createPaymentActivities } from '../../activities/payments';
import { createRideActivities } from '../../activities/rides';
import { decideRide } from '../../domain/decideRide';
import { stepId } from '../../domain/names';
import type { PaymentFact } from '../../domain/paymentFacts';
import { standardPolicies } from '../../domain/policies';
import type { RideCommand } from '../../domain/ride';
import {
  createKeyStore,
  createVault,
  masterKeys,
  type Vault,
  type VaultOptions,
} from '../../platform/personal';
import { createPool, type Pool } from '../../platform/postgres';
import { createIssueQuote } from '../../services/pricing/quotes';
import { claimRequest, keepAnswer } from '../../services/rides/claims';
import { registerDriver } from '../../services/rides/drivers';
import { giveRating } from '../../services/rides/ratings';
import { getRide } from '../../services/rides/store';
import { v7 as uuidv7 } from 'uuid';
import { at, type TestConsumer, type TestFact } from './consumers';
import { tablesOf } from './everywhere';
import { rideRequest } from './rides';
import { createDatabase, postgresUrl } from './servers';

/** A person who lives in every database that keeps something of people. */

export const riderId = 'rider-erased';
export const driverId = 'driver-erased';
export const rideId = uuidv7();
/** Nobody else has these: where they are found, a person is. */
export const words = {
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
export const place = (lat: string) => ({ lat: Number(lat), lng: -73.9876543 });
export const request = rideRequest({
  ...{ rideId, riderId, quoteId: uuidv7() },
  pickup: place(words.pickup),
  stops: [place(words.stop)],
  dropoff: place(words.dropoff),
  paymentMethod: { type: 'card', token: words.token },
});

type Owner = 'rides' | 'payments' | 'pricing' | 'keys';
export const pools = {} as Record<Owner, Pool>;
export const urls = {} as Record<Owner, string>;
export const consumers: TestConsumer[] = [];
export const ground = {} as { vault: Vault };

/** A vault as another process has it, on the same keys. */
export const anotherVault = (options: Pick<VaultOptions, 'now'> = {}): Vault =>
  createVault({ keys: createKeyStore(pools.keys, masterKeys(`test:${'k'.repeat(40)}`)), ...options });

/** Databases of their own for the tests of a file. */
export function useErasureGround(): void {
  beforeAll(async () => {
    for (const owner of ['rides', 'payments', 'pricing', 'keys'] as const) {
      urls[owner] = await createDatabase(owner);
      pools[owner] = createPool(urls[owner], { applicationName: 'erasure', max: 3 });
    }
    ground.vault = anotherVault();
  });
  afterAll(async () => {
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    await Promise.all(Object.values(pools).map((pool) => pool.end()));
  });
}

const adminOf = (url: string): string => {
  const admin = new URL(postgresUrl());
  admin.pathname = new URL(url).pathname;
  return admin.href;
};

/** Where a text is in any of the databases. */
export async function whereIs(texts: readonly string[]): Promise<string[]> {
  const databases: [string, string][] = [
    ...Object.entries(urls),
    ...consumers.map(({ group, databaseUrl }): [string, string] => [group.replace(/.*-/, ''), databaseUrl]),
  ];
  const places = (await Promise.all(databases.map(([name, url]) => tablesOf(name, adminOf(url))))).flat();
  return places.filter(({ text }) => texts.some((one) => text.includes(one))).map(({ name }) => name);
}

export async function record(command: RideCommand, rideId = request.rideId): Promise<void> {
  const ride = await getRide(pools.rides, rideId);
  const { transitions } = createRideActivities({
    ...{ pool: pools.rides, vault: ground.vault, findNearby: () => Promise.resolve([]) },
  });
  const expectedVersion = ride?.version ?? 0;
  const step = stepId(rideId, command.type, expectedVersion);
  const fact = decideRide(command, ride, standardPolicies);
  await transitions[command.type]({ stepId: step, aggregateId: rideId, expectedVersion, fact });
}

async function pay(version: number, fact: Pick<PaymentFact, 'type'> & { data: object }): Promise<void> {
  const { transitions } = createPaymentActivities({
    ...{ pool: pools.payments, vault: ground.vault, provider: undefined as never },
  });
  await transitions.openPayment({
    ...{ stepId: `${rideId}/${version}`, aggregateId: rideId, expectedVersion: version - 1 },
    fact: { ...fact, at: at('12:00:00.000') } as PaymentFact,
  });
}

/** Quotes as pricing makes them. */
export const issueQuote = (riderId: string): Promise<unknown> => {
  const issue = createIssueQuote({
    ...{
      pool: pools.pricing,
      vault: ground.vault,
      secret: 'the secret of the quotes',
      quoteTtlMs: 60_000,
      topicPrefix: '',
    },
    now: Date.now,
  });
  const { pickup, stops, dropoff } = request;
  const ways = { pickup, stops: [...stops], dropoff, fixedStops: 0 };
  return issue(riderId, { ...ways, product: 'standard', scheduledFor: null });
};

/** A ride of the rider that one driver gives back, and what is said and paid around it. */
export async function live(): Promise<void> {
  const time = (seconds: number): string =>
    new Date(Date.parse(at('12:00:00.000')) + seconds * 1_000).toISOString();
  await issueQuote(riderId);
  const { pickup, stops, dropoff } = request;
  const claim = { caller: riderId, key: 'key', bodyHash: 'hash', rideId, quoteId: request.quoteId };
  await claimRequest(pools.rides, { ...claim, now: time(0) });
  await keepAnswer(pools.rides, riderId, 'key', { rideId, pickup, stops, dropoff });
  const details = { name: words.name, plate: words.plate, product: 'standard', fleetId: null } as const;
  await registerDriver(pools.rides, { driverId, details, vault: ground.vault, at: time(0) });
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
export async function end(): Promise<void> {
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
export async function outboxes(): Promise<TestFact[]> {
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
        schemaVersion: Number(/\.v(\d+)$/.exec(headers['ce_dataschema']!)![1]),
      });
  }
  return facts;
}
