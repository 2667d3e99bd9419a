import { analytics } from '../../consumers/analytics/projection';
import { decideSurge } from '../../consumers/analytics/surge';
import { migrate, outboxMigrations, type Pool } from '../../platform/postgres';
import { pricing } from '../../services/pricing/projection';
import { createIssueQuote } from '../../services/pricing/quotes';
import { quoteSecret } from '../support/apiGateway';
import { apiStory, operator, rider } from '../support/apiStory';
import { eventually, upTo } from '../support/backbone';
import { startConsumer, type TestConsumer, type TestFact } from '../support/consumers';
import { vaultInMemory } from '../../tools/vaultInMemory';

jest.setTimeout(60_000);

const story = apiStory();
const trip = {
  ...{ pickup: { lat: 40.73, lng: -73.99 }, stops: [], dropoff: { lat: 40.76, lng: -73.97 } },
  ...{ fixedStops: 0, product: 'standard' as const, scheduledFor: null },
};

const consumers: TestConsumer[] = [];
async function start(projection: Parameters<typeof startConsumer>[0]): Promise<TestConsumer> {
  const consumer = await startConsumer(projection);
  consumers.push(consumer);
  await migrate(consumer.databaseUrl, [outboxMigrations]);
  return consumer;
}
afterAll(() => Promise.all(consumers.map((consumer) => consumer.stop())));

/** What stands in an outbox for the relay, of one topic. */
async function committed(pool: Pool, topic: TestFact['topic']): Promise<TestFact[]> {
  const { rows } = await pool.query<{ key: string; headers: Record<string, string>; value: string }>(
    'select key, headers, value from outbox where topic = $1 order by id',
    [topic],
  );
  return rows.map(({ key, headers, value }) => ({
    ...{ topic, key, data: JSON.parse(value), type: headers['ce_type']!, time: headers['ce_time']! },
    ...{ sequence: Number(headers['ce_sequence']), correlationId: headers['ce_correlationid']! },
    schemaVersion: Number(headers['ce_dataschema']!.split('.v')[1]),
  }));
}

test('rides that nobody is there for make surge, which is quoted, booked, charged and on the receipt', async () => {
  const [counted, priced] = [await start(analytics), await start(pricing)];
  const quote = () =>
    createIssueQuote({
      ...{ pool: priced.pool, vault: vaultInMemory(), secret: quoteSecret },
      ...{ quoteTtlMs: 60_000, topicPrefix: '', now: Date.now },
    })('rider-1', trip);
  const before = await quote();

  const rides = await Promise.all(
    upTo(8).map(async (n) => {
      const { token } = await story.api.quote(`rider-${n}`);
      const asked = await story.api.call('POST', '/v1/rides', {
        as: ['rider', `rider-${n}`],
        body: { quoteToken: token, paymentMethod: { type: 'cash' } },
        headers: { 'idempotency-key': crypto.randomUUID() },
      });
      return String(asked.body['rideId']);
    }),
  );
  await counted.deliver(await committed(story.api.rides, 'rides'));
  expect(await decideSurge(counted.pool, { atMs: Date.now(), topicPrefix: '' })).not.toEqual([]);
  await priced.deliver(await committed(counted.pool, 'pricing'));
  await Promise.all(rides.map((rideId) => story.act(rideId, 'cancel', operator, {})));

  const surged = await quote();
  expect([before.surge, surged.surge]).toEqual([1, 3]);
  const surcharge = surged.fare.lines.find(({ kind }) => kind === 'surge')!;
  expect(surged.fare.totalMinor).toBeGreaterThan(before.fare.totalMinor + surcharge.amountMinor);

  const driver = await story.onlineDriver('driver-of-surge');
  const card = { type: 'card', token: 'pm_card_visa' };
  const rideId = await story.drivenRide(driver, card, surged.token);
  const ended = await story.act(rideId, 'complete', driver);
  const { totalMinor } = surged.fare;
  expect(ended.body).toMatchObject({ status: 'completed', fare: surged.fare, chargeMinor: totalMinor });
  const receipt = await eventually(
    () => story.api.call('GET', `/v1/rides/${rideId}/receipt`, { as: rider }),
    ({ body }) => body['paidMinor'] === totalMinor,
  );
  expect(receipt.body).toMatchObject({ totalMinor, dueMinor: 0 });
  expect(receipt.body['lines']).toContainEqual(surcharge);
  const { rows } = await story.api.payments.query<{ taken: number }>(
    `select sum(amount_minor)::bigint as taken from ledger_entries where account = 'provider_clearing'`,
  );
  expect(rows).toEqual([{ taken: totalMinor }]);
});
